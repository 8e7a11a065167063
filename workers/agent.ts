/** The entry of a worker thread: one assignment in, one outcome out, over and over. */
import { BroadcastChannel, workerData } from 'node:worker_threads';
import type { AgentSettings, MarkedAssignment, ToAgent } from '../src/domain/agent-message.ts';
import type { Failure } from '../src/domain/failure.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { execute } from './execute.ts';
import { currentExecution, Execution } from './execution.ts';
import { captureStandardOutput } from './stdio.ts';
import { flattenThrown } from './thrown.ts';
import { watchChildProcesses } from './watch-child-processes.ts';

/** The execution this thread has in hand. */
let inHand: Execution | null = null;
let isFresh = true;

/** Called by the pool for each assignment. */
export default async function agent(assignment: MarkedAssignment): Promise<Answer> {
  const execution = new Execution(assignment);
  inHand = execution;
  if (isFresh) execution.post({ type: 'started', executionId: assignment.executionId });
  isFresh = false;
  if (Object.keys(assignment.compiled).length > 0) process.setSourceMapsEnabled(true);
  const outcome = await execute(execution);
  inHand = null;
  if (execution.retire === null) return { outcome, posted: execution.posted };
  execution.post({
    type: 'retire',
    executionId: assignment.executionId,
    why: execution.retire,
    outcome,
  });
  // The main thread has the outcome now and ends this thread.
  return new Promise<never>(() => undefined);
}

function listenForCancellation(channel: string): void {
  const broadcast = new BroadcastChannel(channel);
  broadcast.unref();
  broadcast.onmessage = (event) => {
    const { data }: { data: ToAgent } = event as MessageEvent;
    if (inHand?.assignment.executionId === data.executionId) {
      inHand.stop({ because: data.because, failure: stopFailure(data, inHand) });
    }
  };
}

function stopFailure({ because }: ToAgent, execution: Execution): Failure {
  switch (because) {
    case 'timed-out': {
      const seconds = execution.assignment.limits.timeoutSeconds;
      return { reason: 'timed-out', seconds, step: null, tail: execution.output.tail(0) };
    }
    case 'interrupted':
      return { reason: 'interrupted', detail: 'it was running and was told to stop' };
    case 'cancelled':
      return { reason: 'cancelled', detail: 'it was running and was told to stop' };
  }
}

/** Errors that no code of the workstream catches are its failure, and never another one's. */
function listenForCrashes(): void {
  process.on('uncaughtException', (error) => crash('uncaught-exception', error));
  process.on('unhandledRejection', (error) => crash('unhandled-rejection', error));
}

function crash(how: 'uncaught-exception' | 'unhandled-rejection', error: unknown): void {
  const execution = currentExecution.getStore() ?? inHand;
  if (execution === null) return;
  const thrown = flattenThrown(error);
  if (execution.ended) {
    const { executionId, workstream } = execution.assignment;
    execution.post({
      type: 'late',
      executionId,
      workstreamId: workstream.id,
      text: `${how}: ${thrown.name}: ${thrown.message}`,
    });
    return;
  }
  if (how === 'uncaught-exception') execution.retire ??= 'an exception was not caught';
  execution.stop({ because: 'crashed', failure: { reason: 'thrown', how, thrown } });
}

captureStandardOutput();
watchChildProcesses();
listenForCrashes();
const settings: AgentSettings = workerData;
listenForCancellation(settings.channel);
