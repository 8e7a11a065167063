/** Lets the number of agents follow the load: asks what it is to be at each interval, tells of it, and has it done. */
import type { LoadSource, LoadStatistics, Scaling, Workload } from '../domain/scaling.ts';
import { decideScaling, SCALING_START, type ScalingPolicy } from './decide.ts';
import type { Journal } from '../run/journal.ts';

export interface ScalerParts {
  /** The number to start with. */
  start: Scaling;
  policy: ScalingPolicy;
  source: LoadSource;
  /** What there is to do now. */
  workload(): Workload;
  /** Carries out a new number of agents. */
  resize(agents: number): void;
  journal: Journal;
}

export class Scaler {
  readonly #parts: ScalerParts;
  #state = SCALING_START;
  #most: number;
  #stop: () => void = () => undefined;

  constructor(parts: ScalerParts) {
    this.#parts = parts;
    this.#most = parts.start.to;
  }

  /** The most agents that there were at one time. */
  get most(): number {
    return this.#most;
  }

  /** Tells of the number to start with, and follows the load from now on. */
  begin(): void {
    this.#tell(this.#parts.start);
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
    this.#most = Math.max(this.#most, change.to);
    this.#tell(change);
    this.#parts.resize(change.to);
  }

  #tell(scaling: Scaling): void {
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
