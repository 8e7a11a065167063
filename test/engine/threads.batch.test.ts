/** Batches of assignments in one thread. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment, moduleStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';

const MODULE = `
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
const mark = (workspace, id) => appendFileSync(join(workspace, 'ran'), id + '\\n');
export default (input, { workspace, workstream }) => mark(workspace, workstream.id);
export const waits = async (input, { workspace, workstream }) => {
  mark(workspace, workstream.id);
  while (!existsSync(join(workspace, 'go'))) await new Promise(setImmediate);
};
export const blocks = () => { for (;;); };
export const blocksUntilGo = (input, { workspace }) => { while (!existsSync(join(workspace, 'go'))); };
export const exits = (input, { workspace, workstream }) => {
  mark(workspace, workstream.id);
  process.exit(3);
};
export const changesItsOwn = (input, { workstream }) => ({ output: workstream.filesScope.push('x') });
export const countsInInput = (input) => ({ output: (input.count = (input.count ?? 0) + 1) });
export const changesIteration = (input) => {
  if (input === true) Array.prototype[Symbol.iterator] = () => { throw new TypeError('not what it was'); };
};
export const changesThenables = (input) => {
  if (input === true) Object.prototype.then = () => { throw new TypeError('not what it was'); };
};
export const leavesTimer = () => { setTimeout(() => undefined, 1e6); };
export const closesPort = async (input, { workspace, workstream }) => {
  mark(workspace, workstream.id);
  (await import('node:worker_threads')).parentPort.close();
};
export const closesPortAndLeavesTimer = async (input, context) => {
  await closesPort(input, context);
  leavesTimer();
};`;

const base = mkdtempSync(join(tmpdir(), 'millrace-queue-'));
const engine = new ThreadEngine({ ...engineSettings(base), agents: 1, manyCommands: false });
afterAll(async () => {
  await engine.close();
  rmSync(base, { recursive: true });
});

/** Definitions that have none share one. */
const NO_SCOPE: string[] = [];

/** A folder with the module, and ways to give workstreams to the one agent that execute its functions. */
function bench() {
  const folder = mkdtempSync(join(base, 'folder-'));
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const { signal } = new AbortController();
  const given = (id: string, name: string): Assignment =>
    assignment(folder, { ...workstream(id, [moduleStep(module, name)]), filesScope: NO_SCOPE });
  const execute = (id: string, name: string): Promise<Outcome> =>
    engine.execute(given(id, name), { signal, onMessage: () => undefined });
  /** Returns the outcome of each, null where it was returned. */
  const executeBatch = async (
    names: readonly string[],
    onOutcome: (outcome: Outcome) => void = () => undefined,
  ): Promise<(Outcome | null)[]> => {
    const all = new Array<Outcome | null>(names.length).fill(null);
    const returned = await engine.executeBatch(
      names.map((name, index) => given(`ws-${index}`, name)),
      {
        signal,
        onMessage: () => undefined,
        onOutcomes: (outcomes) => {
          for (const { index, outcome } of outcomes) {
            expect(all[index]).toBeNull();
            all[index] = outcome;
            onOutcome(outcome);
          }
        },
      },
    );
    expect(returned).toEqual([...all.keys()].filter((index) => all[index] === null));
    return all;
  };
  const ran = (): string[] => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
  return { given, execute, executeBatch, ran, go: () => writeFileSync(join(folder, 'go'), '') };
}

const ends = (outcomes: readonly (Outcome | null)[]) =>
  outcomes.map((outcome) => outcome && (outcome.failure?.reason ?? outcome.status));

/** Executes the batches at the same time, and what is returned of them in further ones. */
async function executeAll(batches: readonly Assignment[][]): Promise<Outcome[]> {
  const { signal } = new AbortController();
  const outcomes: Outcome[] = [];
  const executeOne = async (batch: readonly Assignment[]): Promise<void> => {
    if (batch.length === 0) return;
    const returned = await engine.executeBatch(batch, {
      signal,
      onMessage: () => undefined,
      onOutcomes: (arrived) => outcomes.push(...arrived.map(({ outcome }) => outcome)),
    });
    await executeOne(batch.filter((_, index) => returned.includes(index)));
  };
  await Promise.all(batches.map(executeOne));
  return outcomes;
}

test('each is executed once, however often it is returned', async () => {
  const { given, ran } = bench();
  const ids = Array.from({ length: 200 }, (_, index) => `ws-${index}`);
  const batches = [20, 130, 200].map((end, index, ends) => ids.slice(ends[index - 1] ?? 0, end));
  const outcomes = await executeAll(batches.map((batch) => batch.map((id) => given(id, 'default'))));
  expect(outcomes.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  expect(ran().toSorted()).toEqual(ids.toSorted());
});

test('what one does to its input reaches no other, although all have the same', async () => {
  const { given } = bench();
  const [first] = [given('ws-0', 'countsInInput')].map(({ workstream }) => workstream.steps);
  const steps = (first ?? []).map((step) => ({ ...step, input: {} }));
  const batch = Array.from({ length: 20 }, (_, index) => {
    const one = given(`ws-${index}`, 'countsInInput');
    return { ...one, workstream: { ...one.workstream, steps } };
  });
  const outcomes = await executeAll([batch]);
  expect(outcomes.map(({ output }) => output)).toEqual(batch.map(() => '1'));
});

test('what one does to its own definition reaches no other', async () => {
  const { given } = bench();
  const batch = Array.from({ length: 20 }, (_, index) => given(`ws-${index}`, 'changesItsOwn'));
  const outcomes = await executeAll([batch]);
  expect(outcomes.map(({ output }) => output)).toEqual(batch.map(() => '1'));
});

test('what was executed before one that takes long does not wait for it', async () => {
  const { executeBatch, execute, go } = bench();
  await execute('ws-first', 'default');
  const early = await new Promise<Outcome>((resolve) => {
    void executeBatch(['default', 'blocksUntilGo'], resolve);
  });
  expect(early.status).toBe('completed');
  go();
});

test('what can not be sent to a thread fails, and no timer of it goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const unspeakable: unknown = { 'ws-0': 1n };
  const dependencies = unspeakable as Assignment['dependencies'];
  const { signal } = new AbortController();
  const definition = workstream('ws-a', [moduleStep('/nowhere.mjs')]);
  const outcome = await engine.execute(assignment(base, definition, { dependencies }), {
    signal,
    onMessage: () => undefined,
  });
  expect(outcome.failure?.reason).toBe('internal-error');
  expect(vi.getTimerCount()).toBe(0);
});

test('what was begun when the thread died has failed, what was executed has not, the rest is returned', async () => {
  const { executeBatch, execute, ran } = bench();
  await execute('ws-first', 'default');
  const [first, second, ...behind] = ends(await executeBatch(['default', 'exits', 'default', 'default']));
  expect(first).toBe('completed');
  // It is returned itself where the machine was too slow to begin it in time.
  expect(ran().slice(1)).toEqual(second === null ? ['ws-0'] : ['ws-0', 'ws-1']);
  expect([null, 'worker-crashed']).toContain(second);
  expect(behind).toEqual([null, null]);
});

test('a thread that is not fit for another execution answers its own, and the rest is returned', async () => {
  const { executeBatch } = bench();
  const outcomes = await executeBatch(['leavesTimer', 'default', 'default']);
  expect(ends(outcomes)).toEqual(['completed', null, null]);
});

test.each([
  ['that is fit for another', 'closesPort'],
  ['that is not fit for another', 'closesPortAndLeavesTimer'],
])('code that closes the port of its thread, %s, loses no answer', async (_, closes) => {
  const { execute, ran } = bench();
  const closer = execute('ws-closer', closes);
  const next = execute('ws-next', 'default');
  expect((await closer).status).toBe('completed');
  expect((await next).status).toBe('completed');
  expect(ran()).toEqual(['ws-closer', 'ws-next']);
});

test('where an agent has nothing to do, the first is begun however long its thread takes to start', async () => {
  const { given } = bench();
  const cold = new ThreadEngine({ ...engineSettings(base), agents: 1, manyCommands: false });
  const outcomes: Outcome[] = [];
  const returned = await cold.executeBatch([given('ws-0', 'default'), given('ws-1', 'default')], {
    signal: new AbortController().signal,
    onMessage: () => undefined,
    onOutcomes: (arrived) => outcomes.push(...arrived.map(({ outcome }) => outcome)),
  });
  expect(outcomes.length + returned.length).toBe(2);
  expect(returned).not.toContain(0);
  await cold.close();
});

test('what is behind one that takes long is returned at once, and nothing of it has happened', async () => {
  const { given, execute, executeBatch, ran, go } = bench();
  await execute('ws-first', 'default');
  const batch = ['waits', 'default', 'default'].map((name, index) => given(`ws-${index}`, name));
  const { signal } = new AbortController();
  let ended: Promise<unknown> = Promise.resolve();
  const returned = await new Promise<readonly number[]>((resolve) => {
    const options = { signal, onMessage: () => undefined, onOutcomes: () => undefined };
    ended = engine.executeBatch(batch, { ...options, onReturned: resolve });
  });
  expect(returned).toEqual([1, 2]);
  expect(await executeBatch(['default', 'default'])).toEqual([null, null]);
  go();
  expect(await ended).toEqual([1, 2]);
  expect(ran()).toEqual(['ws-first', 'ws-0']);
});

test('of one that takes long it is told when it began', async () => {
  const { given, execute, go } = bench();
  await execute('ws-first', 'default');
  const before = Date.now();
  const { signal } = new AbortController();
  let ended: Promise<unknown> = Promise.resolve();
  let began: Outcome['startedAt'] = 0;
  const outcomes: Outcome[] = [];
  const index = await new Promise<number>((resolve) => {
    ended = engine.executeBatch([given('ws-0', 'waits'), given('ws-1', 'default')], {
      signal,
      onMessage: () => undefined,
      onOutcomes: (arrived) => outcomes.push(...arrived.map(({ outcome }) => outcome)),
      onBegun: (which, at) => {
        began = at;
        resolve(which);
      },
    });
  });
  expect(index).toBe(0);
  expect(began).toBeGreaterThanOrEqual(before);
  go();
  await ended;
  expect(outcomes.map(({ startedAt }) => startedAt)).toEqual([began]);
});

test('what is open is returned when a batch is interrupted, what was begun is stopped', async () => {
  const { given, execute, ran } = bench();
  await execute('ws-first', 'default');
  const stop = new AbortController();
  const outcomes: Outcome[] = [];
  const batch = ['waits', 'default', 'default'].map((name, index) => given(`ws-${index}`, name));
  const ended = engine.executeBatch(batch, {
    signal: stop.signal,
    onMessage: () => undefined,
    onOutcomes: (arrived) => outcomes.push(...arrived.map(({ outcome }) => outcome)),
  });
  await vi.waitFor(() => expect(ran()).toContain('ws-0'), 30_000);
  stop.abort('interrupted');
  expect(await ended).toEqual([1, 2]);
  expect(outcomes.map(({ failure }) => failure?.reason)).toEqual(['interrupted']);
});

test('the limit of what blocks its thread counts from its own beginning', async () => {
  const { given, execute } = bench();
  await execute('ws-first', 'default');
  const { signal } = new AbortController();
  const limits = { timeoutSeconds: 1, graceSeconds: 0.1, maxOutputMb: 20 };
  const outcomes: Outcome[] = [];
  const batch = ['default', 'blocks'].map((name, index) => ({ ...given(`ws-${index}`, name), limits }));
  await engine.executeBatch(batch, {
    signal,
    onMessage: () => undefined,
    onOutcomes: (arrived) => outcomes.push(...arrived.map(({ outcome }) => outcome)),
  });
  const last = outcomes.at(-1);
  if (outcomes.length === 2) expect(last?.failure).toMatchObject({ reason: 'timed-out', seconds: 1 });
  if (outcomes.length === 2) expect(last?.durationSeconds).toBeGreaterThanOrEqual(2.1);
});

test.each([
  ['how arrays are iterated', 'changesIteration'],
  ['what all objects inherit', 'changesThenables'],
])('%s: a change by code that its thread has called before reaches no other', async (_, name) => {
  const { given, execute } = bench();
  await execute('ws-first', name);
  const changes = given('ws-1', name);
  const steps = changes.workstream.steps.map((step) => ({ ...step, input: true }));
  const outcomes = await executeAll([
    [given('ws-0', 'default'), { ...changes, workstream: { ...changes.workstream, steps } }],
    [given('ws-2', 'default'), given('ws-3', 'default')],
  ]);
  const failed = outcomes.filter(({ failure }) => failure !== null);
  expect(outcomes).toHaveLength(4);
  expect(failed.map(({ failure }) => failure?.reason)).toEqual(['thrown']);
  expect(failed[0]?.warnings).toEqual([
    expect.stringMatching(/^It changed .*, and the code that runs it failed by that\.$/),
  ]);
  expect((await execute('ws-next', 'default')).failure).toBeNull();
});
