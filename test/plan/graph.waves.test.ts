import { expect, test } from 'vitest';
import {
  buildGraph,
  criticalPath,
  type Graph,
  groupByWave,
  remainingSeconds,
  topologicalOrder,
  waveNumbers,
} from '../../src/plan/graph.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';

const graphOf = (...sketches: Sketch[]) => buildGraph(makeWorkstreams(...sketches), new Set());

function orderOf(graph: Graph): Int32Array {
  const order = topologicalOrder(graph);
  if (order === null) throw new Error('the graph has a cycle');
  return order;
}

/** a ← b ← d, a ← c ← d, a ← d, e alone. */
const diamond = graphOf(
  { id: 'd', needs: ['b', 'c', 'a'] },
  { id: 'c', needs: ['a'] },
  { id: 'b', needs: ['a'] },
  { id: 'a' },
  { id: 'e' },
);

test('the wave is the length of the longest chain that leads to a workstream', () => {
  const waves = waveNumbers(diamond, orderOf(diamond));
  expect([...waves]).toEqual([2, 1, 1, 0, 0]);
  expect(groupByWave(waves)).toEqual([[3, 4], [1, 2], [0]]);
});

test('the remaining path goes through the slower of two', () => {
  const remaining = remainingSeconds(diamond, orderOf(diamond), Float64Array.of(1, 2, 5, 3, 8));
  expect([...remaining]).toEqual([1, 3, 6, 9, 8]);
  expect(criticalPath(diamond, remaining)).toEqual([3, 2, 0]);
});

test('among equal chains the first in order is the critical path', () => {
  const remaining = remainingSeconds(diamond, orderOf(diamond), Float64Array.of(0, 0, 0, 0, 0));
  expect(criticalPath(diamond, remaining)).toEqual([3, 0]);
});

test('nothing has no waves and no critical path', () => {
  const empty = graphOf();
  expect(groupByWave(waveNumbers(empty, orderOf(empty)))).toEqual([]);
  expect(criticalPath(empty, new Float64Array(0))).toEqual([]);
});
