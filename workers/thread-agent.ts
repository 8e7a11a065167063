/** The entry of a worker thread: one lot of assignments after the other. */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import type { AgentSettings, Cancellation } from '../src/domain/agent-message.ts';
import { CLAIM, type Handed, type Lot } from '../src/domain/lot.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { Redactor } from '../src/support/redactor.ts';
import { Agent } from './agent.ts';
import { Launcher } from './launcher.ts';

const settings: AgentSettings = workerData;
const agent = new Agent({
  place: 'thread',
  launcher: settings.forkServer === null ? null : new Launcher(settings.forkServer),
  logLevel: settings.logLevel,
  redactor: new Redactor(settings.secrets),
  send: (message) => parentPort?.postMessage(message),
});

/**
 * Called by the pool for each lot. Gives the answer to the last assignment that it began, null when all were taken
 * back; each of the others is answered by a message before the next one begins.
 */
export default async function take({ handed, claims }: Lot): Promise<Answer | null> {
  let last: Answer | null = null;
  for (const [index, text] of handed.entries()) {
    if (last !== null) parentPort?.postMessage(answerMessage(last));
    last = null;
    if (Atomics.compareExchange(claims, index, CLAIM.open, CLAIM.begun) !== CLAIM.open) continue;
    const next: Handed = JSON.parse(text);
    last = await agent.take(next);
  }
  return last;
}

/** Written out, as the objects below are that are made for each execution: to copy one by spreading takes longer. */
const answerMessage = ({ executionId, outcome, posted }: Answer) => ({
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
