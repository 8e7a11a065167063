/** Agents that do something other than a workstream of their own: they test what is merged, or help with another one's. */
import type { AgentContext, Help } from './attempt/attempt-runner.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { AgentLease } from './merged-tests.ts';

export interface AgentLendingParts {
  dispatcher: Pick<Dispatcher, 'reserve' | 'free'>;
  contextOf: (agent: number) => AgentContext;
  /** Whether an agent may have a workstream. */
  isFor: (index: number, agent: number) => boolean;
  /** Aborted with the error that ends the run. */
  failure: AbortController;
  /** Called when an agent is asked for, or free again. */
  onChange: () => void;
}

/** A workstream of which free agents may do a part. */
interface HelpOffer {
  index: number;
  help: Help;
  /** Of its own agent. */
  context: AgentContext;
}

export class AgentLending {
  readonly #parts: AgentLendingParts;
  #asked: ((lease: AgentLease | null) => void)[] = [];
  /** In the order in which they began. */
  readonly #offers = new Set<HelpOffer>();
  #withheld = 0;
  #isClosed = false;
  /** How many agents are leased. */
  given = 0;

  constructor(parts: AgentLendingParts) {
    this.#parts = parts;
  }

  /** Resolves with an agent once one is free; with null when no more are leased. */
  ask(): Promise<AgentLease | null> {
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#parts.onChange();
    });
  }

  /** Leases free agents to those who have asked. */
  give(): void {
    const { dispatcher, contextOf } = this.#parts;
    while (this.#asked.length > 0 && this.#withheld === 0) {
      const agent = dispatcher.reserve();
      if (agent === undefined) return;
      this.given += 1;
      this.#asked.shift()?.({ context: contextOf(agent), release: () => this.#release(agent) });
    }
  }

  /** Leases none until `permit` is called as often: a workstream is to run alone. */
  withhold(): void {
    this.#withheld += 1;
  }

  permit(): void {
    this.#withheld -= 1;
  }

  /** Leases no more. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#asked.splice(0)) resolve(null);
  }

  #release(agent: number): void {
    this.given -= 1;
    this.#parts.dispatcher.free(agent);
    this.#parts.onChange();
  }

  /** Lets free agents help with a workstream until the function that it returns is called. */
  offer(offer: HelpOffer): () => void {
    this.#offers.add(offer);
    this.#parts.onChange();
    return () => this.#offers.delete(offer);
  }

  /** Has agents for which nothing is ready help others. To be called after what is ready was dispatched. */
  help(): void {
    for (const offer of this.#offers) {
      while (this.#helpWith(offer)) {
        // Each time another agent.
      }
    }
  }

  /** Returns whether an agent has begun to help. */
  #helpWith({ index, help, context }: HelpOffer): boolean {
    const { dispatcher, contextOf, isFor } = this.#parts;
    const agent = dispatcher.reserve((each) => isFor(index, each));
    if (agent === undefined) return false;
    const own = contextOf(agent);
    const begun = help({
      ...own,
      signal: context.signal,
      // The workstream is shown as its own agent's.
      onMessage: (id, message) => (message.type === 'replaced' ? own : context).onMessage(id, message),
    });
    if (begun === null) dispatcher.free(agent);
    else void this.#endHelp(agent, begun);
    return begun !== null;
  }

  async #endHelp(agent: number, begun: Promise<void>): Promise<void> {
    const { dispatcher, failure, onChange } = this.#parts;
    try {
      await begun;
    } catch (error) {
      failure.abort(error);
    }
    dispatcher.free(agent);
    onChange();
  }
}
