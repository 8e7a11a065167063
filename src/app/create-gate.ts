import { realpathSync } from 'node:fs';
import type { RunEvent } from '../domain/run-event.ts';
import type { Plan } from '../domain/plan.ts';
import { RunGate } from '../run/run-gate.ts';
import type { RunDatabase } from '../store/run-database.ts';
import { RunLocks } from '../store/run-locks.ts';
import type { Paths } from './paths.ts';

export interface GateParts {
  runId: string;
  plan: Plan;
  paths: Paths;
  database: RunDatabase;
  publish: (event: RunEvent) => void;
  onFree: () => void;
}

/** What lets workstreams begin beside those of other runs of the same database. */
export function createGate({ runId, plan, paths, database, publish, onFree }: GateParts): RunGate {
  const tell = (level: 'warn', text: string): void =>
    publish({ type: 'notice', level, text, workstreamId: null });
  return new RunGate({
    workstreams: plan.workstreams,
    locks: new RunLocks({ database, runId, tell }),
    folder: realpathSync(paths.cwd),
    publish,
    onFree,
  });
}
