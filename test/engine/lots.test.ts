/** What is lined up behind something in the same thread. */
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

const base = mkdtempSync(join(tmpdir(), 'millrace-lots-'));
const engine = new ThreadEngine({ ...engineSettings(base), agents: 1, manyCommands: false });
afterAll(async () => {
  await engine.close();
  rmSync(base, { recursive: true });
});

/** Definitions that have none share one. */
const NO_SCOPE: string[] = [];

/** A folder with the module; `hand` gives one to the agent: the first is run, what comes behind it is lined up. */
function bench() {
  const folder = mkdtempSync(join(base, 'folder-'));
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const options = { signal, onMessage: () => undefined };
  const hand = (id: string, name: string, how: 'run' | 'lineUp'): Promise<Outcome | null> => {
    const definition = { ...workstream(id, [moduleStep(module, name)]), filesScope: NO_SCOPE };
    return engine[how](assignment(folder, definition), options);
  };
  /** Hands it out again for as long as it is given back. */
  const untilDone = async (id: string, name: string): Promise<Outcome> =>
    (await hand(id, name, 'lineUp')) ?? untilDone(id, name);
  const handAll = (names: readonly string[]): Promise<Outcome | null>[] =>
    names.map((name, index) => hand(`ws-${index}`, name, index === 0 ? 'run' : 'lineUp'));
  const ran = (): string[] => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
  return { hand, untilDone, handAll, ran, go: () => writeFileSync(join(folder, 'go'), '') };
}

const ends = async (outcomes: Promise<Outcome | null>[]) =>
  (await Promise.all(outcomes)).map((outcome) => outcome && (outcome.failure?.reason ?? outcome.status));

test('each is executed once, however often it is given back', async () => {
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

test('what waits behind one that takes long is given back, and nothing of it has happened', async () => {
  const { handAll, ran, go } = bench();
  const [first, ...behind] = handAll(['waits', 'default', 'default']);
  expect(await ends(behind)).toEqual([null, null]);
  // It may begin only after they were given back.
  expect(await vi.waitFor(ran, 30_000)).toEqual(['ws-0']);
  go();
  expect((await first)?.status).toBe('completed');
});

test('what can not be handed over fails, and no clock of it goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const unspeakable: unknown = { 'ws-0': 1n };
  const dependencies = unspeakable as Assignment['dependencies'];
  const { signal } = new AbortController();
  const definition = workstream('ws-a', [moduleStep('/nowhere.mjs')]);
  const outcome = await engine.run(assignment(base, definition, { dependencies }), {
    signal,
    onMessage: () => undefined,
  });
  expect(outcome.failure?.reason).toBe('internal-error');
  expect(vi.getTimerCount()).toBe(0);
});

test('what was begun when the thread died has failed, what was not is given back', async () => {
  const { handAll, ran } = bench();
  const [first, second, ...behind] = await ends(handAll(['default', 'exits', 'default', 'default']));
  expect(first).toBe('completed');
  // It is given back itself where the machine was too slow to begin it in time.
  expect(ran()).toEqual(second === null ? ['ws-0'] : ['ws-0', 'ws-1']);
  expect([null, 'worker-crashed']).toContain(second);
  expect(behind).toEqual([null, null]);
});

test('a thread that is not fit for another one gives its outcome, and the rest back', async () => {
  const { handAll } = bench();
  expect(await ends(handAll(['leavesTimer', 'default', 'default']))).toEqual(['completed', null, null]);
});

test.each([
  ['that is fit for another', 'closesPort'],
  ['that is not fit for another', 'closesPortAndLeavesTimer'],
])('code that closes the port of its thread, %s, costs nobody an answer', async (_, closes) => {
  const { hand, ran } = bench();
  const closer = hand('ws-closer', closes, 'run');
  const next = hand('ws-next', 'default', 'run');
  expect((await closer)?.status).toBe('completed');
  expect((await next)?.status).toBe('completed');
  expect(ran()).toEqual(['ws-closer', 'ws-next']);
});
