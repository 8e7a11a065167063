/** Claims a run in the database: a new one under the first free id, or an interrupted one from the process that had it. */
import { type ControlPlace, removeControlPlace } from '../../control/socket-place.ts';
import type { StoredQueueRun } from '../../engine/queue/coordinator/queue-run.ts';
import type { StartTime } from '../../os/stopwatch.ts';
import { firstFreeRunId, makeRunId } from '../../run/run-id.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { leftSockets } from '../../store/read/runs.ts';
import { FallbackRecorder } from '../../store/write/fallback-recorder.ts';
import { keepQueueRun } from '../../store/write/queue-run.ts';
import { SqliteRecorder } from '../../store/write/recorder.ts';
import { type OpenedDatabase, openForRun, RunDatabase } from '../../store/write/run-database.ts';
import { type RunOptions, storedOptions } from '../options.ts';
import { makeStateFolder, type Paths, remakeStateFolder } from '../paths.ts';
import type { Prepared } from '../prepare.ts';
import { Refusal } from '../refusal.ts';
import type { ResumePlan } from '../resume/resume.ts';

export interface RunClaim {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  redactor: Redactor;
  /** When the run began. */
  begin: StartTime;
  /** Where it takes requests; null where there is no place for a socket. */
  place: ControlPlace | null;
  /** How hosts execute it; null where this process does. */
  queued: StoredQueueRun | null;
  /** Called with a sentence for a person. */
  notify: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** Aborted with the error that keeps results from being recorded. */
  failure: AbortController;
}

/** A run that is this process's, and where its results go. */
export interface ClaimedRun {
  runId: string;
  database: RunDatabase;
  recorder: FallbackRecorder;
}

/** @throws StoreError when the database can't be used, Refusal when another process has the run. */
export function claimRun(claim: RunClaim): ClaimedRun {
  const { paths, prepared, queued, notify, failure } = claim;
  makeStateFolder(paths.state);
  const opened = openForRun(paths.database);
  // Those of processes that were killed.
  for (const socket of leftSockets(opened.connection)) removeControlPlace(socket);
  const writer = new SqliteRecorder(opened.connection);
  const { resumed } = prepared;
  const runId = resumed === null ? claimNew(writer, claim) : takeOver(writer, opened, claim, resumed);
  const database = new RunDatabase(opened, { runId, makeFolder: () => remakeStateFolder(paths.state) });
  const recorder = new FallbackRecorder({ recorder: writer, database, runId, notify, failure });
  if (queued !== null || resumed !== null) keepQueueRun(database.connection, runId, queued);
  return { runId, database, recorder };
}

/** Takes the first free id for a new run. */
function claimNew(writer: SqliteRecorder, { options, prepared, redactor, begin, place }: RunClaim): string {
  const at = new Date(begin.at);
  const label = options.label === null ? null : redactor.text(options.label);
  const controlSocket = place?.path ?? null;
  const origin = { options: storedOptions(options), retryOf: prepared.retryOf, label, controlSocket };
  return firstFreeRunId(makeRunId(at), (id) => !writer.claim(id, at.toISOString(), origin));
}

/** Takes an interrupted run over. @throws Refusal when another process has taken it since it was read. */
function takeOver(
  writer: SqliteRecorder,
  { connection }: OpenedDatabase,
  { options, place }: RunClaim,
  { run, discarded }: ResumePlan,
): string {
  const { runId, resumedAt } = run;
  const controlSocket = place?.path ?? null;
  if (writer.reopen({ runId, resumedAt, discarded, options: storedOptions(options), controlSocket }))
    return runId;
  writer.close();
  connection.close();
  throw new Refusal(2, `The run ${runId} has just been resumed by another process.`);
}
