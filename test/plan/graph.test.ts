import { expect, test } from 'vitest';
import { buildGraph, topologicalOrder } from '../../src/plan/graph.ts';
import { makeWorkstreams } from '../kit/make-workstream.ts';

test('a repeated dependency is one edge, and both directions agree', () => {
  const graph = buildGraph(
    makeWorkstreams({ id: 'a' }, { id: 'b', needs: ['a', '~a', 'a'] }, { id: 'c', needs: ['b', 'a'] }),
    new Set(),
  );
  expect(graph.count).toBe(3);
  expect([0, 1, 2].map((node) => [...graph.dependencies.of(node)])).toEqual([[], [0], [1, 0]]);
  expect([0, 1, 2].map((node) => [...graph.dependents.of(node)])).toEqual([[1, 2], [2], []]);
  expect([graph.dependencies.edges, graph.dependents.edges, graph.dependents.degree(0)]).toEqual([3, 3, 2]);
});

test('the first missing dependency of each is named; one that is elsewhere is not missing', () => {
  const graph = buildGraph(
    makeWorkstreams({ id: 'a', needs: ['x', 'y'] }, { id: 'b', needs: ['x', 'z'] }),
    new Set(['x']),
  );
  expect(graph.missing).toEqual([
    { node: 0, id: 'y' },
    { node: 1, id: 'z' },
  ]);
  expect(graph.dependencies.edges).toBe(0);
});

test('in topological order each comes after what it depends on', () => {
  const graph = buildGraph(
    makeWorkstreams({ id: 'a', needs: ['b', 'c'] }, { id: 'b', needs: ['c'] }, { id: 'c' }, { id: 'd' }),
    new Set(),
  );
  expect([...(topologicalOrder(graph) ?? [])]).toEqual([2, 3, 1, 0]);
});

test('a cycle has no topological order', () => {
  const graph = buildGraph(makeWorkstreams({ id: 'a', needs: ['a'] }), new Set());
  expect(topologicalOrder(graph)).toBeNull();
});
