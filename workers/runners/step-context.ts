/** The context that a module step's function is called with. */
import { createRequire } from 'node:module';
import type { Logger, pino } from 'pino';
import type { StepContext } from '../../src/domain/step-context.ts';
import { currentExecution, type Execution } from '../execution.ts';
import type { StopSignal } from '../thread/stop-signal.ts';

const require = createRequire(import.meta.url);
const { defineProperty } = Object;

/**
 * A context for one call. What takes longer to make than a small function runs is made when it is first asked for.
 * @param signal that of the step, or of the execution where the step has no limit of its own.
 */
export const createStepContext = (execution: Execution, signal: () => StopSignal): StepContext =>
  new Context(execution, signal);

/**
 * All contexts share the functions behind `signal`, `workstream`, `dependencies` and `log`, which are properties of each,
 * so that a copy has them. An object literal would have functions of its own for them, and V8 gives each object with
 * such an accessor a class of its own, which lives until a full collection, and with it everything that is reached from
 * there: collecting garbage took a third of the time of an agent that executes what does nothing.
 */
class Context implements StepContext {
  declare readonly signal: StepContext['signal'];
  declare readonly workstream: StepContext['workstream'];
  declare readonly dependencies: StepContext['dependencies'];
  declare readonly log: StepContext['log'];
  readonly runId: string;
  readonly agentId: string;
  readonly attempt: number;
  readonly workspace: string;
  readonly progress: StepContext['progress'];
  readonly warn: StepContext['warn'];
  readonly metric: StepContext['metric'];
  readonly #execution: Execution;
  readonly #signal: () => StopSignal;
  #logger: Logger | undefined;

  constructor(execution: Execution, signal: () => StopSignal) {
    const { runId, agentId, attempt, workspace } = execution.scope;
    this.#execution = execution;
    this.#signal = signal;
    this.runId = runId;
    this.agentId = agentId;
    this.attempt = attempt;
    this.workspace = workspace;
    this.progress = (fraction, text = '') => execution.progress(fraction, String(text));
    this.warn = (text) => execution.warn(String(text));
    this.metric = (name, value, step) => execution.metric(name, value, step);
    for (let index = 0; index < LAZY.length; index += 1) {
      const property = LAZY[index];
      if (property !== undefined) defineProperty(this, property.name, property);
    }
  }

  /** Null for an object that inherits from a context, or stands in front of one. */
  static of(value: object): Context | null {
    return #execution in value ? value : null;
  }

  static signalOf(value: object): AbortSignal {
    const context = Context.of(value);
    return (context === null ? executionOf(value).signal : context.#signal()).abortSignal;
  }

  static executionOf(value: object): Execution | null {
    const context = Context.of(value);
    return context === null ? null : context.#execution;
  }

  static logOf(value: object): Logger {
    const context = Context.of(value);
    if (context === null) return createLogger(executionOf(value));
    context.#logger ??= createLogger(context.#execution);
    return context.#logger;
  }
}

/** That of the context; that of the code which asks, where another object stands in the context's place. */
function executionOf(value: object): Execution {
  const execution = Context.executionOf(value) ?? currentExecution.getStore();
  if (execution === undefined) throw new TypeError('this is not the context of a workstream');
  return execution;
}

/** Nothing is inherited here: code of a workstream can change what all objects inherit. */
const lazy = <Name extends keyof StepContext>(name: Name, read: (context: object) => StepContext[Name]) => ({
  __proto__: null,
  name,
  enumerable: true,
  configurable: true,
  get(this: object) {
    return read(this);
  },
});

const LAZY = [
  lazy('signal', (context) => Context.signalOf(context)),
  lazy('workstream', (context) => executionOf(context).assignment.workstream),
  lazy('dependencies', (context) => executionOf(context).assignment.dependencies),
  lazy('log', (context) => Context.logOf(context)),
];

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
