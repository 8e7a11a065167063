import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layered } from '../../../src/web/model/layers.ts';

test('a workstream stands in the layer after the longest way to it', () => {
  const { nodes, layers } = layered([
    { id: 'c', dependsOn: ['b', 'a'] },
    { id: 'b', dependsOn: ['a'] },
    { id: 'a', dependsOn: [] },
  ]);
  expect(Object.fromEntries(nodes.map(({ id, layer }) => [id, layer]))).toEqual({ a: 0, b: 1, c: 2 });
  expect(layers).toBe(3);
});

test('the order in a layer follows what is needed, so that lines do not cross', () => {
  const { nodes } = layered([
    { id: 'a', dependsOn: [] },
    { id: 'b', dependsOn: [] },
    { id: 'needs-b', dependsOn: ['b'] },
    { id: 'needs-a', dependsOn: ['a'] },
  ]);
  const rowOf = Object.fromEntries(nodes.map(({ id, row }) => [id, row]));
  expect(Math.sign((rowOf['a'] ?? 0) - (rowOf['b'] ?? 0))).toBe(
    Math.sign((rowOf['needs-a'] ?? 0) - (rowOf['needs-b'] ?? 0)),
  );
});

test('a cycle, and what is not drawn, are no error', () => {
  const { nodes, edges } = layered([
    { id: 'a', dependsOn: ['b', 'gone', 'a'] },
    { id: 'b', dependsOn: ['a'] },
  ]);
  expect(nodes).toHaveLength(2);
  expect(edges).toHaveLength(2);
});

const graphs = fc
  .array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 })
  .map((needs) =>
    needs.map((each, index) => ({
      id: `n${index}`,
      dependsOn: [...new Set(each)].filter((at) => at < index).map((at) => `n${at}`),
    })),
  );

test('every node of an acyclic graph has a place of its own, right of all that it needs', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { nodes } = layered(graph);
      const layerOf = new Map(nodes.map(({ id, layer }) => [id, layer]));
      expect(new Set(nodes.map(({ layer, row }) => `${layer} ${row}`)).size).toBe(graph.length);
      for (const { id, dependsOn } of graph)
        for (const needed of dependsOn) expect(layerOf.get(needed)).toBeLessThan(layerOf.get(id) ?? 0);
    }),
    { seed: 7 },
  );
});
