/**
 * The threads and processes of a host. Which secrets an agent covers is fixed when it starts: assignments with the same
 * ones share an engine. At most four engines are kept, and those that execute something.
 */

import type { Secret } from '../../../domain/agent-message.ts';
import type { Assignment } from '../../../domain/assignment.ts';
import type { EngineMessage } from '../../../domain/engine.ts';
import { failureSchema } from '../../../domain/failure.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { nameRule, secretsAmong, variablesOf } from '../../../secrets/find-secrets.ts';
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

interface KeptEngine {
  engine: EngineByIsolation;
  users: number;
}

export class HostEngines {
  readonly #options: EnginesOptions;
  /** By what their agents cover; the one that was used last is the last. */
  readonly #kept = new Map<string, KeptEngine>();
  /** By id of the workstream. */
  readonly #late = new Map<string, (text: string) => void>();

  constructor(options: EnginesOptions) {
    this.#options = options;
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

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#kept.values(), ({ engine }) => engine.close()));
    this.#kept.clear();
  }

  #engineFor({ logLevel, redact }: RemoteAssignment, assignment: Assignment): KeptEngine {
    const secrets = this.#secretsOf(redact, assignment);
    const name = JSON.stringify([logLevel, secrets]);
    const kept = this.#kept.get(name) ?? { engine: this.#start(logLevel, secrets), users: 0 };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept;
  }

  /** A value that is part of a name that Millrace works with is left alone, as in a run on one machine. */
  #secretsOf(
    redact: RemoteAssignment['redact'],
    { workstream, tools, runId, workspace }: Assignment,
  ): Secret[] {
    const rule = nameRule(redact);
    const variables = [
      process.env,
      ...Object.values(tools).map(({ env }) => env),
      ...variablesOf([workstream]),
    ];
    const names = [...WORDS, workstream.id, workstream.base, runId, this.#options.host, workspace];
    return [...this.#options.secrets, ...variables.flatMap((each) => secretsAmong(each, rule))].filter(
      ({ value }) => !names.some((name) => name.includes(value)),
    );
  }

  #start(logLevel: string, secrets: readonly Secret[]): EngineByIsolation {
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
        startedAtOnce: 0,
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

/** Words of outcomes that are as long as a secret may be. */
const WORDS = ['completed', ...failureSchema.options.map(({ shape }) => shape.reason.value)];
