import { expect, test } from 'vitest';
import { groupByWave } from '../../src/plan/graph.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { renderText } from '../../src/plan/render-text.ts';
import { makeFolder, makeWorkstreams, newRun, type Sketch } from '../kit/make-workstream.ts';

const LAYERS = 100;
const WIDTH = 1_000;

/** 100 layers of 1,000: each workstream needs three of the layer before it, 1 s longer for each position. */
function layered(): Sketch[] {
  return Array.from({ length: LAYERS * WIDTH }, (_, n) => {
    const position = n % WIDTH;
    const above = (offset: number): string => `w${n - WIDTH - position + ((position + offset) % WIDTH)}`;
    return {
      id: `w${n}`,
      needs: n < WIDTH ? [] : [above(0), above(1), above(7)],
      conflictGroup: `group-${position % 10}`,
      scopes: [`out/${position}/${n}/**`, ...(position === 0 ? ['out/0'] : [])],
      parallelOk: position !== 999,
    };
  });
}

test('100,000 workstreams with 297,000 dependencies have the waves, path and conflicts they were built with', () => {
  const folder = makeFolder(
    layered(),
    { id: 'ring-a', needs: ['ring-b'] },
    { id: 'ring-b', needs: ['ring-a'] },
  );
  const seconds = new Map(folder.workstreams.map(({ id }, n) => [id, n % WIDTH]));
  const plan = makePlan(folder, seconds);
  expect(plan.workstreams.length).toBe(100_000);
  expect(plan.workstreams.reduce((sum, { dependsOn }) => sum + dependsOn.length, 0)).toBe(297_000);
  expect(groupByWave(plan.waveOf).map((wave) => wave.length)).toEqual(Array<number>(LAYERS).fill(WIDTH));
  expect(plan.criticalPath.ids.length).toBe(LAYERS);
  // The slowest chain keeps to the last position.
  expect(plan.criticalPath.seconds).toBe(LAYERS * 999);
  expect(
    plan.conflicts.filter(({ kind }) => kind === 'conflict-group').map(({ members }) => members.length),
  ).toEqual(Array<number>(10).fill(10_000));
  expect(
    plan.conflicts.filter(({ kind }) => kind === 'scope').map(({ what, members }) => [what, members.length]),
  ).toEqual([['out/0', 100]]);
  expect(plan.conflicts.filter(({ kind }) => kind === 'alone').length).toBe(LAYERS);
  expect([plan.known, plan.broken.length]).toEqual([100_000, 2]);
  expect(renderText(newRun(plan)).length).toBeLessThan(8_000);
});

/** Hands out everything to three agents; each time the agent that has had its work longest ends it. */
function handOutAll(sketches: Sketch[]): { order: number[]; most: number } {
  const ready = new ReadyQueue(makeWorkstreams(sketches), {
    agents: 3,
    distribution: 'dynamic',
    tracks: null,
  });
  for (let index = sketches.length - 1; index >= 0; index--) ready.add(index);
  const free = [0, 1, 2];
  const running: { agent: number; index: number }[] = [];
  const order: number[] = [];
  let most = 0;
  while (ready.size > 0 || running.length > 0) {
    for (const agent of free.splice(0)) {
      const index = ready.take(agent);
      if (index === undefined) free.push(agent);
      else running.push({ agent, index });
      if (index !== undefined) order.push(index);
    }
    most = Math.max(most, running.length);
    const ended = running.shift();
    if (ended === undefined) throw new Error('nothing runs and nothing was handed out');
    ready.release(ended.index);
    free.push(ended.agent);
  }
  return { order, most };
}

const COUNT = 100_000;
const sketchesOf = (part: (n: number) => Omit<Sketch, 'id'>): Sketch[] =>
  Array.from({ length: COUNT }, (_, n) => ({ id: `w${n}`, ...part(n) }));
const inOrder = Array.from({ length: COUNT }, (_, n) => n);

test.each([
  ['nothing in common', () => ({}), 3],
  ['one group', () => ({ conflictGroup: 'db' }), 1],
  ['one group, and a scope each', (n: number) => ({ conflictGroup: 'db', scopes: [`out/${n}`] }), 1],
  ['one file, and a scope each', (n: number) => ({ scopes: ['results.csv', `out/${n}`] }), 1],
  ['a scope each', (n: number) => ({ scopes: [`out/${n}`] }), 3],
  [
    'a scope inside those of the first ones',
    (n: number) => ({ scopes: [n < 1_000 ? (['src', 'src/a'][n % 2] ?? '') : `src/a/${n}`] }),
    3,
  ],
  ['everything alone', () => ({ parallelOk: false }), 1],
])('100,000 ready ones with %s are handed out in order', (_, part, most) => {
  const handedOut = handOutAll(sketchesOf(part));
  expect(handedOut.most).toBe(most);
  expect(handedOut.order).toEqual(inOrder);
});
