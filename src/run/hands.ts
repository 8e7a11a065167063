/** How much each agent has in hand, and who is free. Agents are numbers from 0. */
export class Hands {
  /** Agents that take work and have nothing in hand, longest idle first. */
  #free: number[];
  /** By agent: the workstream that it executes and those lined up behind it. */
  readonly #inHand: number[];
  /** Those from this number on take nothing; what such an agent has in hand it finishes. */
  #agents: number;

  constructor(agents: number) {
    this.#agents = agents;
    this.#free = Array.from({ length: agents }, (_, agent) => agent);
    this.#inHand = this.#free.map(() => 0);
  }

  /** Number of agents that take work. */
  get agents(): number {
    return this.#agents;
  }

  /** Those that take work and have nothing in hand, longest idle first, as they are now. */
  get free(): number[] {
    return [...this.#free];
  }

  /** Those that take work and have something in hand, and how much, as it is now. */
  get busy(): [agent: number, count: number][] {
    return [...this.#inHand.entries()].filter(([agent, count]) => count > 0 && this.#takes(agent));
  }

  /** Number of agents with something in hand, those that take no more included. */
  get occupied(): number {
    return this.#inHand.filter((count) => count > 0).length;
  }

  /** Gives an agent one more. Says whether it is lined up behind something. */
  give(agent: number): boolean {
    const count = this.#inHand[agent] ?? 0;
    this.#inHand[agent] = count + 1;
    if (count === 0) this.#free.splice(this.#free.indexOf(agent), 1);
    return count > 0;
  }

  /** Says that one of what an agent had in hand has ended. */
  release(agent: number): void {
    const left = (this.#inHand[agent] ?? 1) - 1;
    this.#inHand[agent] = left;
    if (left === 0 && this.#takes(agent)) this.#free.push(agent);
  }

  /** From now on the first `agents` agents take work. */
  resize(agents: number): void {
    const before = this.#agents;
    this.#agents = agents;
    this.#free = this.#free.filter((agent) => agent < agents);
    for (let agent = before; agent < agents; agent += 1) {
      this.#inHand[agent] ??= 0;
      if (this.#inHand[agent] === 0 && this.#takes(agent)) this.#free.push(agent);
    }
  }

  #takes(agent: number): boolean {
    return agent < this.#agents;
  }
}
