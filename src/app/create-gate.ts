import { realpathSync } from 'node:fs';
import type { RunEvent } from '../domain/run-event.ts';
import type { Plan } from '../domain/plan.ts';
import { RunGate } from '../run/run-gate.ts';
import type { RunDatabase } from '../store/write/run-database.ts';
import { RunLocks } from '../store/write/run-locks.ts';
import { isGone } from '../os/process-identity.ts';
import { endLeft } from './end-left.ts';
import type { Paths } from './paths.ts';

export interface GateParts {
  runId: string;
  plan: Plan;
  paths: Paths;
  database: RunDatabase;
  /** How long what a killed run left gets to end by itself. */
  graceSeconds: number;
  publish: (event: RunEvent) => void;
  onFree: () => void;
}

/** What lets workstreams begin beside those of other runs of the same database. */
export function createGate(parts: GateParts): RunGate {
  const { runId, plan, paths, database, graceSeconds, publish, onFree } = parts;
  const tell = (level: 'warn', text: string): void =>
    publish({ type: 'notice', level, text, workstreamId: null });
  const locks = new RunLocks({ database, runId, tell });
  return new RunGate({
    workstreams: plan.workstreams,
    locks,
    folder: realpathSync(paths.cwd),
    publish,
    onFree,
    endLeft: (other) => endLeftOf(other, { locks, graceSeconds, tell }),
  });
}

interface Taking {
  locks: RunLocks;
  graceSeconds: number;
  tell: (level: 'warn', text: string) => void;
}

/** Ends what a killed run left, as far as that is possible, and frees its locks. Never rejects. */
async function endLeftOf(runId: string, { locks, graceSeconds, tell }: Taking): Promise<void> {
  const process = locks.leftBy(runId);
  if (process === null) return;
  const { pid, hostname } = process;
  const name = `${runId}, whose process ${pid} was killed,`;
  try {
    const text = isGone(process)
      ? await endLeft({ runId, process, name }, graceSeconds)
      : `Process ${pid} of ${runId} on ${hostname} was not heard of any more: its locks are taken over. Whether something that it started is still at work there can't be seen from here.`;
    if (text !== null) tell('warn', text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    tell('warn', `What ${name} left could not be ended: ${why}`);
  }
  locks.releaseLeft(runId, process);
}
