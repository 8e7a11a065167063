/** The entry of a worker thread: one assignment after the other. */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import type { AgentSettings, MarkedAssignment, ToAgent } from '../src/domain/agent-message.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { Agent } from './agent.ts';

const settings: AgentSettings = workerData;
const agent = new Agent({
  place: 'thread',
  logLevel: settings.logLevel,
  send: (message) => parentPort?.postMessage(message),
});

/** Called by the pool for each assignment. */
export default function take(assignment: MarkedAssignment): Promise<Answer> {
  return agent.take(assignment);
}

const broadcast = new BroadcastChannel(settings.channel);
broadcast.unref();
broadcast.onmessage = (event) => {
  const { data }: { data: ToAgent } = event as MessageEvent;
  agent.cancel(data.executionId, data.because);
};
