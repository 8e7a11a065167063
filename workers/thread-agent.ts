/** The entry of a worker thread: one batch of assignments after the other. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { AgentSettings, FromAgent } from '../src/domain/agent-message.ts';
import type { AssignmentBatch } from '../src/domain/batch/batch-text.ts';
import { Bell } from '../src/domain/batch/bell.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { Redactor } from '../src/secrets/redactor.ts';
import { Agent } from './agent.ts';
import { BatchRun } from './lane.ts';
import { Launcher } from './processes/launcher.ts';
import { AsyncWatch } from './thread/async-watch.ts';
import { exit, Promise, setImmediate } from './thread/own-globals.ts';

/** Taken away from `workerData`, where code of workstreams could read it and speak in this agent's name. */
const settings = takeSettings(workerData);
/** Kept from user code, which may put something else in its place. */
const post = parentPort?.postMessage.bind(parentPort);
const send = (message: FromAgent): void => post?.({ key: settings.key, message });

const agent = new Agent({
  place: 'thread',
  launcher: settings.commandHost === null ? null : new Launcher(settings.commandHost),
  logLevel: settings.logLevel,
  cacheFolder: settings.cacheFolder,
  redactor: new Redactor(settings.secrets),
  send,
});

let isMute = false;
noteEnd(parentPort);

const watch = new AsyncWatch();

/** The last batch. */
let current: BatchRun | null = null;
void stopWhenTold(new Bell(settings.bell));

/**
 * Called by the pool for each batch. Returns the answer to the last assignment that it began, null where that is in
 * shared memory or none was; each of the others is answered there, or by a message before the next one begins.
 */
export default async function executeBatch(batch: AssignmentBatch): Promise<Answer | null> {
  // What a thread has not begun when it ends is passed to another one.
  if (agent.isSpoilt) exit(0);
  const thread = { agent, watch, tell, send: sendAnswer, isMute: () => isMute };
  try {
    current = new BatchRun(batch, thread);
    return await current.execute();
  } catch (error) {
    return fail(error);
  }
}

/** Never resolves. What can't be stopped without an error is the failure of what has changed this thread. */
async function stopWhenTold(bell: Bell): Promise<void> {
  for (let known = bell.rings; ; known = bell.rings) {
    setImmediate(() => current?.stopCurrent());
    await bell.rung(known);
  }
}

/**
 * Ends this thread with an error of our own code, perhaps because of what a workstream's code has changed: another one
 * would fail by it as well. The pool hears of the error by the end of the thread.
 */
function fail(error: unknown): Promise<never> {
  process.removeAllListeners('uncaughtException');
  setImmediate(() => {
    throw error;
  });
  return new Promise(() => undefined);
}

const tell = (batch: number): void => post?.(batch);

/** Written out, as it is made for many executions: spreading takes longer. */
const sendAnswer = ({ executionId, outcome, posted }: Answer): void =>
  send({ type: 'answer', executionId, outcome, posted });

/** Code of a workstream can close the port by which answers are sent; that by which the pool is answered it does not see. */
function noteEnd(port: MessagePort | null): void {
  const close = port?.close.bind(port);
  if (port === null || close === undefined) return;
  port.close = () => {
    isMute = true;
    close();
  };
}

function takeSettings(data: AgentSettings): AgentSettings {
  const taken = { ...data };
  for (const name of Object.keys(data)) Reflect.deleteProperty(data, name);
  return taken;
}
