import { expect, test } from 'vitest';
import { Redactor } from '../../../src/secrets/redactor.ts';
import { currentExecution, Execution } from '../../../workers/execution.ts';
import { createStepContext } from '../../../workers/runners/step-context.ts';
import { StopSignal } from '../../../workers/thread/stop-signal.ts';
import { assignment, moduleStep, workstream } from '../../kit/definitions.ts';

function makeExecution(id: string): Execution {
  const given = assignment('/work', workstream(id, [moduleStep('/work/a.mjs')]), { dependencies: { up: 1 } });
  return new Execution(
    { assignment: given, mark: 'mark', typeScript: [] },
    {
      place: 'thread',
      launcher: null,
      logLevel: 'silent',
      cacheFolder: '/work/cache',
      redactor: new Redactor([]),
      send: () => undefined,
    },
  );
}

test('a copy of a context has all that the context has', () => {
  const context = createStepContext(makeExecution('ws-a'), () => new StopSignal());
  const copy = { ...context };
  expect(Object.keys(copy).toSorted()).toEqual([
    'agentId',
    'attempt',
    'dependencies',
    'log',
    'metric',
    'progress',
    'runId',
    'signal',
    'warn',
    'workspace',
    'workstream',
  ]);
  expect(copy.workstream.id).toBe('ws-a');
  expect(copy.dependencies).toEqual({ up: 1 });
});

test('a context has the signal of its step', () => {
  const step = new StopSignal();
  const { signal } = createStepContext(makeExecution('ws-a'), () => step);
  step.abort(new Error('enough'));
  expect(signal.aborted).toBe(true);
});

test('what is made when it is asked for is made once', () => {
  const context = createStepContext(makeExecution('ws-a'), () => new StopSignal());
  expect(context.log).toBe(context.log);
  expect(context.workstream).toBe(context.workstream);
});

test('each context is that of its own execution', () => {
  const [one, other] = ['ws-a', 'ws-b'].map((id) =>
    createStepContext(makeExecution(id), () => new StopSignal()),
  );
  expect([one?.workstream.id, other?.workstream.id]).toEqual(['ws-a', 'ws-b']);
});

test('what stands in the place of a context is asked for the workstream that asks', () => {
  const execution = makeExecution('ws-a');
  const context = createStepContext(execution, () => execution.signal);
  const proxy = new Proxy(context, { get: (target, name, receiver) => Reflect.get(target, name, receiver) });
  for (const inFront of [Object.create(context), proxy])
    currentExecution.run(execution, () => {
      expect(inFront.workstream).toBe(context.workstream);
      expect(inFront.signal).toBe(execution.signal.abortSignal);
      inFront.warn('odd');
    });
  expect(execution.warnings).toEqual(['odd', 'odd']);
});

test('what code adds to all objects does not break a context', () => {
  const execution = makeExecution('ws-a');
  Reflect.defineProperty(Object.prototype, 'value', { value: 1, configurable: true });
  let id: string;
  try {
    ({ id } = createStepContext(execution, () => execution.signal).workstream);
  } finally {
    Reflect.deleteProperty(Object.prototype, 'value');
  }
  expect(id).toBe('ws-a');
});
