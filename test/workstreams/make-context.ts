import { pino } from 'pino';
import type { Json } from '../../src/domain/json.ts';
import type { StepContext } from '../../src/domain/step-context.ts';
import { makeWorkstream } from '../kit/make-workstream.ts';

/** What a test may set of a context. */
export interface ContextSketch {
  workspace?: string;
  dependencies?: Record<string, Json>;
  signal?: AbortSignal;
  progress?: StepContext['progress'];
}

/** A context for calling a step's function without an agent; without a workspace, for one that reads no files. */
export function makeContext(sketch: ContextSketch = {}): StepContext {
  return {
    signal: new AbortController().signal,
    workspace: '/nowhere',
    agentId: 'agent-1',
    runId: 'ma-run-20250101-000000',
    attempt: 1,
    workstream: makeWorkstream({ id: 'ws-test' }),
    dependencies: {},
    log: pino({ level: 'silent' }),
    progress: () => undefined,
    metric: () => undefined,
    warn: (text) => {
      throw new Error(`unexpected warning: ${text}`);
    },
    ...sketch,
  };
}
