/** How much each agent has in hand, and who is free. Agents are numbers from 0. */
export class Hands {
  /** Agents with nothing in hand, longest idle first. */
  readonly #free: number[];
  /** By agent: the workstream that it executes and those lined up behind it. */
  readonly #inHand: Uint16Array;

  constructor(agents: number) {
    this.#free = Array.from({ length: agents }, (_, agent) => agent);
    this.#inHand = new Uint16Array(agents);
  }

  get agents(): number {
    return this.#inHand.length;
  }

  /** Those with nothing in hand, longest idle first, as they are now. */
  get free(): number[] {
    return [...this.#free];
  }

  /** Those with something in hand and how much, as it is now. */
  get busy(): [agent: number, count: number][] {
    return [...this.#inHand.entries()].filter(([, count]) => count > 0);
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
    if (left === 0) this.#free.push(agent);
  }
}
