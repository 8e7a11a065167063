/**
 * The threads and processes of a host. Which secrets an agent covers is fixed when it starts: assignments with the same
 * ones share an engine. At most four engines are kept, and those that execute something.
 */

import type { Secret } from '../../../domain/agent-message.ts';
import type { Assignment } from '../../../domain/assignment.ts';
import type { BatchOptions, EngineMessage } from '../../../domain/engine.ts';
import { failureSchema } from '../../../domain/failure.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { usableCores } from '../../../os/usable-cores.ts';
import { type NameRule, nameRule, secretsAmong, variablesOf } from '../../../secrets/find-secrets.ts';
import { Redactor } from '../../../secrets/redactor.ts';
import { EngineByIsolation } from '../../by-isolation.ts';
import { ProcessEngine } from '../../processes.ts';
import { ThreadEngine } from '../../threads.ts';
import type { RemoteAssignment } from '../protocol.ts';

const MOST_KEPT = 4;

export interface EnginesOptions {
  host: string;
  agents: number;
  /** Limit of an agent's heap in MB; null for Node's default. */
  memoryMb: number | null;
  /** Folder for compiled modules. */
  cacheFolder: string;
  /** Of the host itself: the password of its queue, and the key. */
  secrets: readonly Secret[];
}

export interface RemoteExecuteOptions {
  signal: AbortSignal;
  onMessage: (message: EngineMessage) => void;
  /** Called with what its code did after it had ended, as long as the host has another job of that workstream in hand. */
  onLate: (text: string) => void;
}

/** `stops` are those of the members by their indices. */
export interface RemoteBatchOptions extends Required<Omit<BatchOptions, 'onLate'>> {
  /** As that of `RemoteExecuteOptions`. */
  onLate: (index: number, text: string) => void;
}

interface KeptEngine {
  engine: EngineByIsolation;
  users: number;
}

export class HostEngines {
  readonly #options: EnginesOptions;
  /** More than there are cores would keep each other from starting. */
  readonly #threadsAtOnce: number;
  /** By what their agents cover; the one that was used last is the last. */
  readonly #kept = new Map<string, KeptEngine>();
  /** By id of the workstream. */
  readonly #late = new Map<string, (text: string) => void>();

  /** The one that was used last. */
  #rule: { name: string; rule: NameRule; own: Secret[] } | null = null;

  constructor(options: EnginesOptions) {
    this.#options = options;
    this.#threadsAtOnce = Math.min(options.agents, Math.ceil(usableCores()));
  }

  /** Starts the threads of what runs send that set nothing unusual, so that the first assignment finds them there. */
  warm(): void {
    this.#keep(USUAL.logLevel, this.#secretsOf(USUAL.redact, null), this.#threadsAtOnce);
  }

  /** Starts the threads of what is about to be executed, while its files are prepared. */
  expect(remote: RemoteAssignment): void {
    this.#engineFor(remote, remote.assignment);
  }

  async execute(
    remote: RemoteAssignment,
    assignment: Assignment,
    { signal, onMessage, onLate }: RemoteExecuteOptions,
  ): Promise<Outcome> {
    const { id } = assignment.workstream;
    const kept = this.#engineFor(remote, assignment);
    kept.users += 1;
    this.#late.set(id, onLate);
    try {
      return await kept.engine.execute(assignment, { signal, onMessage });
    } finally {
      kept.users -= 1;
      this.#late.delete(id);
      await this.#closeOld();
    }
  }

  /**
   * Executes a batch as `Engine.executeBatch` does. Those that cover other secrets than the first are returned.
   */
  async executeBatch(
    remote: RemoteAssignment,
    assignments: readonly Assignment[],
    { onLate, onOutcomes, onReturned, ...options }: RemoteBatchOptions,
  ): Promise<void> {
    const names = assignments.map((assignment) =>
      coverName(remote.logLevel, this.#secretsOf(remote.redact, assignment)),
    );
    const indices = [...names.keys()].filter((index) => names[index] === names[0]);
    const members = indices.flatMap((index) => assignments[index] ?? []);
    const [first] = members;
    if (first === undefined) return;
    const kept = this.#engineFor(remote, first);
    kept.users += 1;
    for (const [index, { workstream }] of members.entries())
      this.#late.set(workstream.id, (text) => onLate(indices[index] ?? 0, text));
    try {
      await kept.engine.executeBatch(members, {
        ...options,
        onMessage: (index, message) => options.onMessage(indices[index] ?? 0, message),
        onOutcomes: (outcomes) =>
          onOutcomes(outcomes.map(({ index, outcome }) => ({ index: indices[index] ?? 0, outcome }))),
        onReturned: (returned) => onReturned(returned.map((index) => indices[index] ?? 0)),
      });
    } finally {
      kept.users -= 1;
      for (const { workstream } of members) this.#late.delete(workstream.id);
      await this.#closeOld();
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#kept.values(), ({ engine }) => engine.close()));
    this.#kept.clear();
  }

  #engineFor(remote: RemoteAssignment, assignment: Assignment): KeptEngine {
    const needsThread = assignment.workstream.isolation === 'thread';
    return this.#keep(
      remote.logLevel,
      this.#secretsOf(remote.redact, assignment),
      needsThread ? this.#threadsAtOnce : 0,
    );
  }

  /** The engine whose agents cover these, with so many threads from its start on; from now on the one that was used last. */
  #keep(logLevel: string, secrets: readonly Secret[], threadsAtOnce: number): KeptEngine {
    const name = coverName(logLevel, secrets);
    const kept = this.#kept.get(name) ?? { engine: this.#start(logLevel, secrets, threadsAtOnce), users: 0 };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept;
  }

  /**
   * What agents cover that execute an assignment; null for one of which nothing is known. A value that is part of a name
   * that Millrace works with is left alone, as in a run on one machine.
   */
  #secretsOf(redact: RemoteAssignment['redact'], assignment: Assignment | null): Secret[] {
    const { rule, own } = this.#ruleOf(redact);
    const variables = assignment === null ? [] : variablesIn(assignment);
    const names = [...WORDS, this.#options.host, ...(assignment === null ? [] : namesIn(assignment))];
    return [...own, ...variables.flatMap((each) => secretsAmong(each, rule))].filter(
      ({ value }) => !names.some((name) => name.includes(value)),
    );
  }

  /** The rule, and what is secret by it among the variables of this process, which do not change. */
  #ruleOf(redact: RemoteAssignment['redact']): { rule: NameRule; own: Secret[] } {
    const name = JSON.stringify(redact);
    if (name !== this.#rule?.name) {
      const rule = nameRule(redact);
      this.#rule = { name, rule, own: [...this.#options.secrets, ...secretsAmong(process.env, rule)] };
    }
    return this.#rule;
  }

  #start(logLevel: string, secrets: readonly Secret[], threadsAtOnce: number): EngineByIsolation {
    const { agents, memoryMb, cacheFolder } = this.#options;
    const settings = {
      // Assignments have absolute paths.
      project: '/',
      memoryMb,
      logLevel,
      cacheFolder,
      redactor: new Redactor(secrets),
      onLate: (workstreamId: string, text: string) => this.#late.get(workstreamId)?.(text),
    };
    return new EngineByIsolation({
      // The command host ends what it started where this process is killed.
      thread: new ThreadEngine({
        ...settings,
        agents,
        startedAtOnce: threadsAtOnce,
        manyCommands: process.platform !== 'win32',
      }),
      process: new ProcessEngine(settings),
    });
  }

  async #closeOld(): Promise<void> {
    const unused = [...this.#kept].filter(([, { users }]) => users === 0);
    for (const [name, { engine }] of unused.slice(0, Math.max(0, this.#kept.size - MOST_KEPT))) {
      this.#kept.delete(name);
      await engine.close();
    }
  }
}

/** Of a run that sets neither. */
const USUAL = { logLevel: 'info', redact: { names: [], keep: [] } };

const coverName = (logLevel: string, secrets: readonly Secret[]): string =>
  JSON.stringify([logLevel, secrets]);

const variablesIn = ({ tools, workstream }: Assignment) => [
  ...Object.values(tools).map(({ env }) => env),
  ...variablesOf([workstream]),
];

const namesIn = ({ workstream, runId, workspace }: Assignment) => [
  workstream.id,
  workstream.base,
  runId,
  workspace,
];

/** Words of outcomes that are as long as a secret may be. */
const WORDS = ['completed', ...failureSchema.options.map(({ shape }) => shape.reason.value)];
