import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cyclicComponents, nameCycles } from '../../src/plan/cycles.ts';
import { buildGraph, type Graph } from '../../src/plan/graph.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';

function graphOf(...sketches: (Sketch | Sketch[])[]): Graph {
  return buildGraph(makeWorkstreams(...sketches), new Set());
}

function name(...sketches: Sketch[]): Record<string, string> {
  const names = nameCycles(graphOf(...sketches), (node) => sketches[node]?.id ?? '');
  return Object.fromEntries([...names].map(([node, path]) => [sketches[node]?.id, path.join(' → ')]));
}

test('a workstream that needs itself', () => {
  expect(name({ id: 'a', needs: ['a'] }, { id: 'b', needs: ['a'] })).toEqual({ a: 'a → a' });
});

test('a cycle begins at the first in order, and each needs the next', () => {
  expect(
    name({ id: 'z' }, { id: 'b', needs: ['c', 'z'] }, { id: 'a', needs: ['b'] }, { id: 'c', needs: ['a'] }),
  ).toEqual({ b: 'b → c → a → b', c: 'b → c → a → b', a: 'b → c → a → b' });
});

test('the shortest way round is named, and a member beside it has a cycle of its own', () => {
  expect(
    name(
      { id: 'a', needs: ['b', 'c'] },
      { id: 'b', needs: ['c', 'd'] },
      { id: 'c', needs: ['a'] },
      { id: 'd', needs: ['b'] },
      { id: 'e', needs: ['a', 'e'] },
      { id: 'f', needs: ['g'] },
      { id: 'g', needs: ['f', 'h'] },
      { id: 'h', needs: ['g', 'h'] },
    ),
  ).toEqual({
    a: 'a → c → a',
    c: 'a → c → a',
    b: 'a → b → c → a',
    d: 'b → d → b',
    e: 'e → e',
    f: 'f → g → f',
    g: 'f → g → f',
    h: 'h → h',
  });
});

test('two cycles are two components, also when one needs the other', () => {
  const graph = graphOf(
    { id: 'a', needs: ['b', 'c'] },
    { id: 'b', needs: ['a'] },
    { id: 'c', needs: ['d'] },
    { id: 'd', needs: ['c'] },
    { id: 'e', needs: ['d'] },
  );
  expect(cyclicComponents(graph.dependencies)).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test('a path that is too long to read says how much it leaves out', () => {
  const ring = Array.from({ length: 30 }, (_, n) => ({ id: `w${n}`, needs: [`w${(n + 1) % 30}`] }));
  const path = 'w0 → w1 → w2 → w3 → w4 → w5 → … 19 more … → w25 → w26 → w27 → w28 → w29 → w0';
  expect(new Set(Object.values(name(...ring)))).toEqual(new Set([path]));
});

test('a ring of 100,000 with as many detours is named without recursion, in bounded text', () => {
  const half = 50_000;
  const ring = Array.from({ length: half }, (_, n) => {
    const next = (n + 1) % half;
    return { id: `w${n}`, needs: [`w${next}`, `d${n}`] };
  });
  const detours = Array.from({ length: half }, (_, n) => ({ id: `d${n}`, needs: [`w${(n + 1) % half}`] }));
  const names = nameCycles(graphOf(ring, detours), (node) => (node < half ? `w${node}` : `d${node - half}`));
  expect(names.size).toBe(100_000);
  expect(names.get(half + 20_000)).toEqual(['w0', '… 20000 more …', 'd20000', '… 29999 more …', 'w0']);
  expect(new Set([...names.values()].map((path) => path.length))).toEqual(new Set([4, 5, 13]));
});

const graphs = fc
  .integer({ min: 1, max: 9 })
  .chain((count) =>
    fc.array(fc.array(fc.nat({ max: count - 1 }), { maxLength: 3 }), { minLength: count, maxLength: count }),
  );

test('exactly those that can reach themselves are named, each with a cycle that it is on', () => {
  fc.assert(
    fc.property(graphs, (needs) => {
      const sketches = needs.map((targets, node) => ({ id: `${node}`, needs: targets.map(String) }));
      const names = nameCycles(graphOf(...sketches), String);
      for (const node of needs.keys()) {
        const path = names.get(node)?.map(Number);
        expect(path !== undefined).toBe(reaches(needs, node, node));
        if (path === undefined) continue;
        const ring = path.slice(0, -1);
        expect(path.at(-1)).toBe(path[0]);
        expect(path[0]).toBe(Math.min(...ring));
        expect(new Set(ring).size).toBe(ring.length);
        expect(ring).toContain(node);
        for (const [place, from] of ring.entries()) expect(needs[from]).toContain(path[place + 1]);
      }
    }),
    { numRuns: 500 },
  );
});

function reaches(needs: readonly number[][], from: number, to: number): boolean {
  const reached = new Set(needs[from]);
  for (const node of reached) for (const next of needs[node] ?? []) reached.add(next);
  return reached.has(to);
}
