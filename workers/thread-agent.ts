/** The entry of a worker thread: one batch of assignments after the other. */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import type { AgentSettings, Cancellation, FromAgent } from '../src/domain/agent-message.ts';
import { type AssignmentBatch, type BatchItem, CLAIM } from '../src/domain/assignment-batch.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { Redactor } from '../src/secrets/redactor.ts';
import { Agent } from './agent.ts';
import { Launcher } from './processes/launcher.ts';

/** Taken away from `workerData`, where code of workstreams could read it and speak in this agent's name. */
const settings = takeSettings(workerData);
/** Kept from user code, which may put something else in their place. */
const post = parentPort?.postMessage.bind(parentPort);
const exit: (code: number) => never = process.exit.bind(process);
const send = (message: FromAgent): void => post?.({ key: settings.key, message });

const agent = new Agent({
  place: 'thread',
  launcher: settings.commandHost === null ? null : new Launcher(settings.commandHost),
  logLevel: settings.logLevel,
  redactor: new Redactor(settings.secrets),
  send,
});

/**
 * Called by the pool for each batch. Returns the answer to the last assignment that it started, null when all were taken
 * back; each of the others is answered by a message before the next one starts.
 */
export default async function executeBatch({ items, claims }: AssignmentBatch): Promise<Answer | null> {
  // What a thread has not started when it ends is passed to another one.
  if (agent.isSpoilt) exit(0);
  let last: Answer | null = null;
  for (const [index, text] of items.entries()) {
    if (last !== null) send(answerMessage(last));
    last = null;
    if (Atomics.compareExchange(claims, index, CLAIM.open, CLAIM.started) !== CLAIM.open) continue;
    const next: BatchItem = JSON.parse(text);
    last = await agent.execute(next);
    if (agent.hasRetired) break;
  }
  return last;
}

/** Written out, as it is made for each execution: spreading takes longer. */
const answerMessage = ({ executionId, outcome, posted }: Answer): FromAgent => ({
  type: 'answer',
  executionId,
  outcome,
  posted,
});

const broadcast = new BroadcastChannel(settings.channel);
broadcast.unref();
broadcast.onmessage = (event) => {
  const { data }: { data: Cancellation } = event as MessageEvent;
  agent.cancel(data.executionId, data.because);
};

function takeSettings(data: AgentSettings): AgentSettings {
  const taken = { ...data };
  for (const name of Object.keys(data)) Reflect.deleteProperty(data, name);
  return taken;
}
