/** Lets the number of agents follow the load: decides at each interval, publishes a change, and carries it out. */
import type { LoadSource, LoadStatistics, Scaling, Workload } from '../domain/scaling.ts';
import type { Journal } from '../run/journal.ts';
import { decideScaling, SCALING_START, type ScalingPolicy } from './decide.ts';

export interface ScalerParts {
  /** The number to start with. */
  start: Scaling;
  policy: ScalingPolicy;
  source: LoadSource;
  /** Reads the present workload. */
  workload(): Workload;
  /** Carries out a new number of agents. */
  resize(agents: number): void;
  journal: Journal;
}

export class Scaler {
  readonly #parts: ScalerParts;
  #state = SCALING_START;
  #stop: () => void = () => undefined;

  constructor(parts: ScalerParts) {
    this.#parts = parts;
  }

  /** Publishes the number to start with, and follows the load from now on. */
  begin(): void {
    this.#publish(this.#parts.start);
    this.#stop = this.#parts.source.watch((load) => this.#decide({ ...load, ...this.#parts.workload() }));
  }

  /** Idempotent. */
  end(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  #decide(load: LoadStatistics): void {
    const { change, state } = decideScaling(load, this.#parts.policy, this.#state);
    this.#state = state;
    if (change === null) return;
    this.#publish(change);
    this.#parts.resize(change.to);
  }

  #publish(scaling: Scaling): void {
    this.#parts.journal.publish({
      type: 'agents-scaled',
      change: { at: new Date().toISOString(), ...scaling },
      agents: agentNames(scaling.to),
    });
  }
}

/** Names of agents that have none of their own. */
export const agentNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `agent-${index + 1}`);
