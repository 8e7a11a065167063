/** What executes the workstreams of a run: agents of this process, or those that hosts lend over a queue. */
import type { Engine, LocalEngine } from '../../domain/engine.ts';
import type { LoadSource } from '../../domain/scaling.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { QueueRun } from '../../engine/queue/coordinator/queue-run.ts';
import type { ReadyQueueOptions } from '../../plan/ready-queue.ts';
import type { Coordinator } from '../../run/coordinator.ts';
import type { Journal } from '../../run/journal.ts';
import { LoadMeter } from '../../scaling/load-meter.ts';
import { Scaler } from '../../scaling/scaler.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { MOST_AGENTS } from '../option-table.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { type Prepared, workstreamsToRun } from '../prepare.ts';
import { makeRoster, type Roster } from '../roster.ts';
import { createEngine } from './create-engine.ts';

export interface RunAgents {
  readonly engine: Engine;
  /** Those that the run has at the start. */
  readonly roster: Roster;
  /** Names of those that are there when the run begins. */
  readonly names: string[];
  /** How many there may be at a time, and how many of them for which workstreams. */
  readonly limits: Pick<ReadyQueueOptions, 'agents' | 'quotas'>;
  /**
   * Lets their number follow the load, or the hosts, where the run is to do so. Returns what follows the load once it
   * has begun; null where nothing does.
   */
  follow(coordinator: Coordinator, journal: Journal): Scaler | null;
  /** The most that there were. @param stored what the database has of all sessions; 0 for nothing. */
  most(stored: number): number;
}

export interface RunAgentsParts {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  redactor: Redactor;
  /** What executes the workstreams on other machines. Default: null, this one does. */
  queue?: QueueRun | null;
  /** What the number of agents follows where it is `auto`; measured by default. */
  load?: LoadSource;
  /** Called with a sentence for a person; `workstreamId` is null where it concerns the whole run. */
  notify: (text: string, workstreamId: string | null) => void;
}

/** @throws Refusal for agents that there can't be. */
export function makeAgents(parts: RunAgentsParts): RunAgents {
  const { queue = null } = parts;
  return queue === null ? new LocalAgents(parts) : new LentAgents(parts, queue);
}

class LocalAgents implements RunAgents {
  readonly engine: LocalEngine;
  readonly roster: Roster;
  readonly #load: LoadSource;

  /** The threads that the first workstreams need start at once. */
  constructor({ options, paths, prepared, redactor, load = new LoadMeter(), notify }: RunAgentsParts) {
    this.#load = load;
    this.roster = makeRoster(options, workstreamsToRun(prepared), { cores: load.cores });
    this.engine = createEngine({
      options,
      paths,
      redactor,
      agents: this.roster.names.length,
      workstreams: prepared.plan.workstreams,
      onLate: (workstreamId, text) => notify(text, workstreamId),
    });
  }

  get names(): string[] {
    return this.roster.names;
  }

  get limits(): RunAgents['limits'] {
    const { scaling, names } = this.roster;
    return { agents: scaling?.policy.max ?? names.length, quotas: null };
  }

  follow(coordinator: Coordinator, journal: Journal): Scaler | null {
    if (this.roster.scaling === null) return null;
    return new Scaler({
      ...this.roster.scaling,
      source: this.#load,
      workload: () => ({ ...coordinator.workload, inChildren: this.engine.inChildren }),
      resize: (agents) => {
        this.engine.resize(agents);
        coordinator.resize(agents);
      },
      journal,
    });
  }

  most(stored: number): number {
    return Math.max(this.roster.names.length, stored);
  }
}

/** Slots of hosts, which cost no threads and files of this process. */
class LentAgents implements RunAgents {
  readonly engine: Engine;
  readonly roster: Roster;
  readonly #queue: QueueRun;
  readonly #workstreams: readonly Workstream[];
  /** As it was asked for: `auto` for as many as hosts lend. */
  readonly #count: RunOptions['agentsCount'];

  constructor({ options, prepared, notify }: RunAgentsParts, queue: QueueRun) {
    this.#queue = queue;
    this.#workstreams = prepared.plan.workstreams;
    this.#count = options.agentsCount;
    this.engine = queue.engine;
    const agentsCount = this.#count === 'auto' ? this.#lent : this.#count;
    this.roster = makeRoster({ ...options, agentsCount }, workstreamsToRun(prepared), { files: null });
    queue.notifyTo(notify);
  }

  /** How many hosts can keep busy now. */
  get #lent(): number {
    return Math.min(MOST_AGENTS, Math.max(1, this.#queue.capacity.agents));
  }

  get names(): string[] {
    return this.#queue.hosts.agentNames;
  }

  get limits(): RunAgents['limits'] {
    const follows = this.#count === 'auto';
    const fixed = this.roster.names.length;
    const quotas = this.#queue.capacity.quotas(this.#workstreams, () => (follows ? this.#lent : fixed));
    return { agents: follows ? MOST_AGENTS : fixed, quotas };
  }

  follow(coordinator: Coordinator): null {
    this.#queue.hosts.onLook(() => {
      if (this.#count === 'auto') coordinator.resize(this.#lent);
      coordinator.readQuotas();
    });
    return null;
  }

  /** More than what hosts had are places that wait in the queue, and no agents. */
  most(stored: number): number {
    const lent = Math.max(1, this.#queue.hosts.mostSlots, stored);
    return this.#count === 'auto' ? lent : Math.min(this.#count, lent);
  }
}
