/** Assignments that are queued behind another one in the same thread. */
import { setMaxListeners } from 'node:events';
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
export const exits = (input, { workspace, workstream }) => {
  mark(workspace, workstream.id);
  process.exit(3);
};
export const changesItsOwn = (input, { workstream }) => ({ output: workstream.filesScope.push('x') });
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

/** A folder with the module; `give` gives one to the agent, which executes the first and queues those behind it. */
function bench() {
  const folder = mkdtempSync(join(base, 'folder-'));
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const options = { signal, onMessage: () => undefined };
  const give = (id: string, name: string, how: 'execute' | 'enqueue'): Promise<Outcome | null> => {
    const definition = { ...workstream(id, [moduleStep(module, name)]), filesScope: NO_SCOPE };
    return engine[how](assignment(folder, definition), options);
  };
  /** Enqueues it again as often as it is returned. */
  const untilDone = async (id: string, name: string): Promise<Outcome> =>
    (await give(id, name, 'enqueue')) ?? untilDone(id, name);
  const giveAll = (names: readonly string[]): Promise<Outcome | null>[] =>
    names.map((name, index) => give(`ws-${index}`, name, index === 0 ? 'execute' : 'enqueue'));
  const ran = (): string[] => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
  return { give, untilDone, giveAll, ran, go: () => writeFileSync(join(folder, 'go'), '') };
}

const ends = async (outcomes: Promise<Outcome | null>[]) =>
  (await Promise.all(outcomes)).map((outcome) => outcome && (outcome.failure?.reason ?? outcome.status));

test('each is executed once, however often it is returned', async () => {
  const { untilDone, ran } = bench();
  const ids = Array.from({ length: 200 }, (_, index) => `ws-${index}`);
  const outcomes = await Promise.all(ids.map((id) => untilDone(id, 'default')));
  expect(outcomes.filter(({ status }) => status !== 'completed')).toEqual([]);
  expect(ran().toSorted()).toEqual(ids.toSorted());
});

test('what one does to its own definition reaches no other', async () => {
  const { untilDone } = bench();
  const ids = Array.from({ length: 20 }, (_, index) => `ws-${index}`);
  const outcomes = await Promise.all(ids.map((id) => untilDone(id, 'changesItsOwn')));
  expect(outcomes.map(({ output }) => output)).toEqual(ids.map(() => '1'));
});

test('what is queued behind one that takes long is returned, and nothing of it has happened', async () => {
  const { giveAll, ran, go } = bench();
  const [first, ...behind] = giveAll(['waits', 'default', 'default']);
  expect(await ends(behind)).toEqual([null, null]);
  // It may start only after they were returned.
  expect(await vi.waitFor(ran, 30_000)).toEqual(['ws-0']);
  go();
  expect((await first)?.status).toBe('completed');
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

test('what was started when the thread died has failed, what was not is returned', async () => {
  const { giveAll, ran } = bench();
  const [first, second, ...behind] = await ends(giveAll(['default', 'exits', 'default', 'default']));
  expect(first).toBe('completed');
  // It is returned itself where the machine was too slow to start it in time.
  expect(ran()).toEqual(second === null ? ['ws-0'] : ['ws-0', 'ws-1']);
  expect([null, 'worker-crashed']).toContain(second);
  expect(behind).toEqual([null, null]);
});

test('a thread that is not fit for another execution answers its own, and the rest is returned', async () => {
  const { giveAll } = bench();
  expect(await ends(giveAll(['leavesTimer', 'default', 'default']))).toEqual(['completed', null, null]);
});

test.each([
  ['that is fit for another', 'closesPort'],
  ['that is not fit for another', 'closesPortAndLeavesTimer'],
])('code that closes the port of its thread, %s, loses no answer', async (_, closes) => {
  const { give, ran } = bench();
  const closer = give('ws-closer', closes, 'execute');
  const next = give('ws-next', 'default', 'execute');
  expect((await closer)?.status).toBe('completed');
  expect((await next)?.status).toBe('completed');
  expect(ran()).toEqual(['ws-closer', 'ws-next']);
});
