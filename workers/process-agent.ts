/** The entry of a process that executes one assignment and ends. */
import type { FromAgent, Signed, ToProcess } from '../src/domain/agent-message.ts';
import { sendToParent } from '../src/os/parent-channel.ts';
import { Redactor } from '../src/secrets/redactor.ts';
import { Agent, lateError } from './agent.ts';
import { currentExecution, type Execution } from './execution.ts';
import { exit } from './thread/own-globals.ts';
import { flattenThrown } from './thread/thrown.ts';

/** Beyond the grace, what ending its processes may take once the run is gone. */
const END_SECONDS = 1;

/** Goes with every message; set before any user code runs. */
let key = '';

function sendSigned(message: FromAgent, onSent?: () => void): void {
  const signed: Signed = { key, message };
  // Without a channel `disconnect` ends this process.
  if (process.connected) sendToParent(signed, onSent);
}

let agent: Agent | null = null;

process.on('message', (message: ToProcess) => {
  if (message.type === 'cancel') return agent?.cancel(message.executionId, message.because);
  const { item, logLevel, cacheFolder, secrets } = message;
  ({ key } = message);
  process.once('disconnect', () => abandon(item.assignment.limits.graceSeconds));
  agent = new Agent({
    place: 'process',
    launcher: null,
    logLevel,
    cacheFolder,
    redactor: new Redactor(secrets),
    send: (message) => sendSigned(message),
  });
  const execution = agent.begin(item);
  void agent
    .execute(execution)
    .then((answer) => sendSigned({ type: 'answer', ...answer }, () => end(execution)));
  return undefined;
});

/** Ends this process. What its workstream does then is late, also where it throws: Node ends it the second time. */
function end(execution: Execution): void {
  try {
    currentExecution.run(execution, () => exit(0));
  } catch (error) {
    execution.late(lateError('uncaught-exception', flattenThrown(error, execution.host.redactor)));
    exit(0);
  }
}

/** The run is gone, or user code closed the channel: ends what was started. */
function abandon(graceSeconds: number): void {
  agent?.cancel(null, 'interrupted');
  setTimeout(() => exit(1), (graceSeconds + END_SECONDS) * 1000);
}
