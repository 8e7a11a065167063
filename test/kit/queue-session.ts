/** A session of a run over a queue, without the rest of the run. */
import { onTestFinished } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { EngineMessage } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { QueueRun, type QueueRunOptions } from '../../src/engine/queue/coordinator/queue-run.ts';
import { QUEUE_KEY } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface QueueSession {
  run: QueueRun;
  /** What a person was told. */
  told: string[];
  /** Of the project. */
  folder: string;
  execute: (
    given: Assignment,
    signal?: AbortSignal,
  ) => { outcome: Promise<Outcome>; messages: EngineMessage[] };
}

/** Opens a run whose files all hosts share. It is closed when the test ends. */
export async function openSession(
  url: string,
  fields: Partial<QueueRunOptions>,
  workstreams: readonly Workstream[],
): Promise<QueueSession> {
  const folder = fields.project ?? temporaryFolder();
  process.env['MILLRACE_QUEUE_KEY'] = QUEUE_KEY;
  const run = await QueueRun.open({
    url,
    caFile: null,
    keyFile: null,
    source: 'shared',
    waitSeconds: 60,
    project: folder,
    excluded: [],
    setup: null,
    redact: { names: [], keep: [] },
    logLevel: 'info',
    workstreams,
    earlier: null,
    keepsSource: false,
    ...fields,
  });
  onTestFinished(() => run.engine.close());
  const told: string[] = [];
  run.notifyTo((text) => told.push(text));
  return {
    run,
    told,
    folder,
    execute: (given, signal = new AbortController().signal) => {
      const messages: EngineMessage[] = [];
      const outcome = run.engine.execute(given, { signal, onMessage: (message) => messages.push(message) });
      return { outcome, messages };
    },
  };
}
