/**
 * The folder that a worker has for itself while it runs. What a killed one left there, and the processes that it had
 * started, are removed by the next.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { endRemainingProcesses, nameProcesses } from '../../../os/owned-processes.ts';
import { livenessOf, ownIdentity, type ProcessIdentity } from '../../../os/process-identity.ts';
import { replaceFile } from '../../../os/replace-file.ts';

/** A folder that can't be used; the message is a sentence for a person. */
export class HostFolderProblem extends Error {
  override name = 'HostFolderProblem';
}

const OWNER = 'worker.json';
/** One run's id a line. */
const RUNS = 'runs.txt';
/** For what a killed worker had started, from SIGTERM to SIGKILL. */
const GRACE_SECONDS = 2;

const ownerSchema: z.ZodType<ProcessIdentity> = z.object({
  pid: z.number().int(),
  started: z.string().nullable(),
  hostname: z.string(),
  bootId: z.string().nullable(),
  pidNamespace: z.string().nullable(),
});

export class HostFolder {
  readonly #folder: string;
  readonly #runs = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Takes a folder, and removes what the worker before had left. Resolves with the names of processes that were ended.
   * @throws HostFolderProblem where a worker is using it.
   */
  static async take(folder: string): Promise<{ folder: HostFolder; ended: string[] }> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const before = ownerOf(folder);
    const ended: string[] = [];
    if (before !== null) {
      if (before.pid !== process.pid) refuseLiving(before, folder);
      for (const runId of runsIn(folder)) {
        const left = await endRemainingProcesses(runId, before, GRACE_SECONDS);
        if (left.kind === 'ended') ended.push(nameProcesses(left.found));
      }
    }
    for (const name of ['projects', 'logs', RUNS])
      rmSync(join(folder, name), { recursive: true, force: true });
    replaceFile(join(folder, OWNER), JSON.stringify(ownIdentity()));
    return { folder: new HostFolder(folder), ended };
  }

  /** Remembers that processes may be started for a run. */
  addRun(runId: string): void {
    if (this.#runs.has(runId)) return;
    this.#runs.add(runId);
    appendFileSync(join(this.#folder, RUNS), `${runId}\n`);
  }

  /** Removes what is in it but compiled modules. */
  release(): void {
    for (const name of ['projects', 'logs', RUNS, OWNER])
      rmSync(join(this.#folder, name), { recursive: true, force: true });
  }
}

function refuseLiving(owner: ProcessIdentity, folder: string): void {
  const liveness = livenessOf(owner);
  if (liveness === 'gone' || liveness === 'rebooted') return;
  const where = liveness === 'elsewhere' ? ` on ${owner.hostname}` : '';
  throw new HostFolderProblem(
    `The folder ${folder} belongs to the worker of process ${owner.pid}${where}. Give this one another --name or --state, or end that one.`,
  );
}

/** Null where none had it, or its file was cut off. */
function ownerOf(folder: string): ProcessIdentity | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(join(folder, OWNER), 'utf8')));
  } catch {
    return null;
  }
}

function runsIn(folder: string): string[] {
  try {
    return readFileSync(join(folder, RUNS), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // It had none.
    return [];
  }
}
