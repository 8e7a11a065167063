import { createRequire } from 'node:module';
import type { Logger, pino } from 'pino';
import type { StepContext } from '../../src/domain/step-context.ts';
import type { Execution } from '../execution.ts';
import type { StopSignal } from '../thread/stop-signal.ts';

const require = createRequire(import.meta.url);

/** The context that a module step's function is called with. */
export function createStepContext(execution: Execution, signal: StopSignal): StepContext {
  const { runId, agentId, attempt, workspace, workstream, dependencies } = execution.assignment;
  let logger: Logger | undefined;
  return {
    get signal() {
      return signal.abortSignal;
    },
    runId,
    agentId,
    attempt,
    workspace,
    workstream,
    dependencies,
    get log() {
      logger ??= createLogger(execution);
      return logger;
    },
    progress: (fraction, text = '') => execution.progress(fraction, String(text)),
    warn: (text) => execution.warn(String(text)),
  };
}

/** pino takes 10 ms to load, so a thread loads it when the first module asks for it. */
function createLogger(execution: Execution): Logger {
  const load: typeof pino = require('pino');
  const { runId, agentId, workstream } = execution.assignment;
  return load(
    {
      level: execution.host.logLevel,
      base: { run_id: runId, agent_id: agentId, workstream_id: workstream.id },
    },
    { write: (line: string) => execution.log(line.trimEnd()) },
  );
}
