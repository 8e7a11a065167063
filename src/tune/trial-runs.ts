/** Runs workstreams in processes of their own, with a state folder of their own, and measures them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { withDatabase } from '../app/history.ts';
import { DATABASE } from '../app/paths.ts';
import { Refusal } from '../app/refusal.ts';
import type { CapacityOptions } from '../app/reserving.ts';
import type { TrialRun } from '../domain/tuning.ts';
import { treeUsage } from '../os/tree-usage.ts';
import { getRun, latestRunId } from '../store/read/runs.ts';
import { eachListedResult } from '../store/read/short-results.ts';
import { lastOf } from '../text/cut-text.ts';

/** How often memory is measured. */
const MEMORY_MS = 100;
/** Most of what a run says that is kept for the case that it fails. */
const TAIL = 4_000;

export interface TrialOptions extends CapacityOptions {
  /** Program and first arguments of the command line, such as node and bin.js. */
  program: readonly [string, ...string[]];
  cwd: string;
  /** Folder of workstream files. */
  workstreams: string;
  /** Folder for everything that the runs write themselves. */
  folder: string;
}

/** A run, and how long each workstream took that completed. */
export interface Trial extends TrialRun {
  durations: Map<string, number>;
}

export class TrialRuns {
  readonly #options: TrialOptions;
  #child: ChildProcess | null = null;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  /**
   * @param select ids and globs; everything without one. What they depend on is run too.
   * @throws Refusal with exit code 3 where the run did not come to its end.
   */
  async run(agents: number, select: readonly string[]): Promise<Trial> {
    const [program, ...first] = this.#options.program;
    const child = spawn(program, [...first, ...this.#arguments(agents, select)], {
      cwd: this.#options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A signal of the terminal is passed on once, not twice.
      detached: true,
    });
    this.#child = child;
    const said = tailOf(child);
    const memory = watchMemory();
    try {
      const [code] = await once(child, 'close');
      if (code !== 0 && code !== 1) {
        throw new Refusal(3, `The run with ${agents} agents did not come to its end: ${said() || code}`);
      }
      return { ...this.#read(agents), memoryBytes: memory.stop() };
    } finally {
      memory.stop();
      this.#child = null;
    }
  }

  /** Passes a signal on to the run that is under way. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** What the configuration or the environment says of where to write, and of asking, is not for these runs. */
  #arguments(agents: number, select: readonly string[]): string[] {
    const { folder, workstreams, cpus, memory } = this.#options;
    const places = ['--workstreams', workstreams, '--state', folder, '--reports', join(folder, 'reports')];
    const output = [
      '--log-level',
      'error',
      '--log-file',
      join(folder, 'log'),
      '--junit',
      join(folder, 'junit.xml'),
    ];
    const plain = [
      '--json=false',
      '--ask=false',
      '--dry-run=false',
      '--cache=false',
      '--workspace',
      'shared',
    ];
    const whole = ['--max-time=2000000', '--fail-fast=0'];
    const capacity = [
      ...(cpus === null ? [] : ['--cpus', String(cpus)]),
      ...(memory === null ? [] : ['--memory', String(memory)]),
    ];
    return [
      'run',
      ...select,
      '--with-dependencies',
      '--agents',
      String(agents),
      ...places,
      ...output,
      ...plain,
      ...whole,
      ...capacity,
    ];
  }

  #read(agents: number): Omit<Trial, 'memoryBytes'> {
    const database = join(this.#options.folder, DATABASE);
    return withDatabase(database, (connection) => {
      const runId = connection === null ? null : latestRunId(connection);
      const run = connection === null || runId === null ? null : getRun(connection, runId);
      const seconds = run?.executionSummary?.speed.wallSeconds;
      if (connection === null || run === null || seconds === undefined)
        throw new Error('the trial run left no summary');
      const { completed, workstreams: total } = run.totals;
      const durations = new Map<string, number>();
      for (const { workstreamId, status, durationSeconds } of eachListedResult(connection, run.runId)) {
        if (status === 'completed' && durationSeconds !== null) durations.set(workstreamId, durationSeconds);
      }
      return { agents, seconds, completed, total, durations };
    });
  }
}

/** The end of a process's output. */
function tailOf({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = lastOf(text + chunk, TAIL);
    });
  }
  return () => text.trim();
}

/** The most that child processes of this one had at a time, in bytes; null where that can't be seen. */
function watchMemory(): { stop(): number | null } {
  let most: number | null = null;
  const look = (): void => {
    const { memory, processes } = treeUsage();
    if (processes > 1) most = Math.max(most ?? 0, memory - process.memoryUsage.rss());
  };
  const timer = setInterval(look, MEMORY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return most;
    },
  };
}
