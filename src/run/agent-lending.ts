/** Agents that do something other than a workstream of their own: they test what is merged, or help with another one's. */
import type { TestHold } from '../domain/run-lock.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import type { AgentContext, Help } from './attempt/attempt-runner.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { AgentLease } from './merged-tests.ts';

export interface AgentLendingParts {
  dispatcher: Pick<Dispatcher, 'reserve' | 'free'>;
  /** Keeps what may not run beside tests from being started. */
  ready: Pick<ReadyQueue, 'hold'>;
  /** Has other runs wait for what tests hold, and tests for what other runs do. */
  gate: MergedTestGate;
  contextOf: (agent: number) => AgentContext;
  /** Whether an agent may have a workstream. */
  isFor: (index: number, agent: number) => boolean;
  /** Aborted with the error that ends the run. */
  failure: AbortController;
  /** Called when an agent is asked for, or free again. */
  onChange: () => void;
}

/** Admits the tests of merged work beside other runs of the database. */
export interface MergedTestGate {
  /** Whether they may be run; takes what they hold, all or nothing, until `leaveTests`. */
  admitTests(hold: TestHold): boolean;
  leaveTests(): void;
}

/** Who waits for an agent that runs tests. */
interface Request {
  hold: TestHold;
  /** Whether the gate has admitted it. */
  isAdmitted: boolean;
  resolve: (lease: AgentLease | null) => void;
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
  readonly #asked: Request[] = [];
  /** In the order in which they began. */
  readonly #offers = new Set<HelpOffer>();
  #withheld = 0;
  #isClosed = false;
  /** How many agents are leased. */
  given = 0;

  constructor(parts: AgentLendingParts) {
    this.#parts = parts;
  }

  /** Resolves with an agent once one is free and the tests may be run; with null when no more are leased. */
  ask(hold: TestHold): Promise<AgentLease | null> {
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push({ hold, isAdmitted: false, resolve });
      this.#parts.onChange();
    });
  }

  /** Whether tests that run alone wait for what is running to end: nothing else is to be started. */
  get isDraining(): boolean {
    const [first] = this.#asked;
    return first !== undefined && first.isAdmitted && first.hold.alone;
  }

  /** Leases free agents to those who have asked, in their order. */
  give(): void {
    while (this.#withheld === 0 && this.#giveFirst()) {
      // Each time the next.
    }
  }

  /** Returns whether the first has its agent. */
  #giveFirst(): boolean {
    const [first] = this.#asked;
    if (first === undefined || (first.hold.alone && this.given > 0)) return false;
    const { dispatcher, ready, gate, contextOf } = this.#parts;
    first.isAdmitted ||= gate.admitTests(first.hold);
    if (!first.isAdmitted) return false;
    const agent = dispatcher.reserve();
    if (agent === undefined) return false;
    const unhold = ready.hold(first.hold);
    if (unhold === null) {
      dispatcher.free(agent);
      return false;
    }
    this.given += 1;
    this.#asked.shift();
    first.resolve({ context: contextOf(agent), release: () => this.#release(agent, unhold) });
    return true;
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
    for (const { isAdmitted, resolve } of this.#asked.splice(0)) {
      if (isAdmitted) this.#parts.gate.leaveTests();
      resolve(null);
    }
  }

  #release(agent: number, unhold: () => void): void {
    this.given -= 1;
    unhold();
    this.#parts.gate.leaveTests();
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
