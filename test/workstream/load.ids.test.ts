import { describe, expect, test } from 'vitest';
import { loadFiles, problemLines } from './load-files.ts';

const work = (id: string, fields: object = {}) => ({ id, steps: [{ run: 'true' }], ...fields });

describe('an id that is used twice', () => {
  test('is one broken workstream that names both places', () => {
    const loaded = loadFiles({
      'a.json': '{ "steps": [{ "run": "true" }],\n  "id": "ws-a", "title": "First" }',
      'b.json':
        '[\n  {"id": "ws-b", "steps": [{"run": "true"}]},\n  {"id": "ws-a", "steps": [{"run": "true"}]}\n]',
    });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-b']);
    expect(loaded.broken).toEqual([
      {
        id: 'ws-a',
        title: 'First',
        source: { file: 'workstreams/a.json', position: 0 },
        failure: {
          reason: 'duplicate-id',
          id: 'ws-a',
          places: ['workstreams/a.json:2:9', 'workstreams/b.json:3:10'],
        },
      },
    ]);
    expect(problemLines(loaded)).toEqual([
      'a.json:2:9: error: id: the id "ws-a" is also at workstreams/b.json:3:10',
      'b.json:3:10: error: id: the id "ws-a" is also at workstreams/a.json:2:9',
    ]);
  });

  test('counts when one of the two is broken besides', () => {
    const loaded = loadFiles({ 'a.json': { id: 'ws-a' }, 'b.json': work('ws-a') });
    expect(loaded.workstreams).toEqual([]);
    expect(loaded.broken.map(({ id, failure }) => [id, failure.reason])).toEqual([['ws-a', 'duplicate-id']]);
  });

  test('counts after the matrix', () => {
    const loaded = loadFiles({
      'a.json': work('ws-a', { matrix: { n: [1, 2] } }),
      'b.json': work('ws-a-n-2'),
    });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-a-n-1']);
    expect(loaded.broken.map(({ id, failure }) => [id, failure.reason])).toEqual([
      ['ws-a-n-2', 'duplicate-id'],
    ]);
  });

  test('names ten places of very many', () => {
    const loaded = loadFiles({ 'a.json': Array.from({ length: 30 }, () => work('ws-a')) });
    const failure = loaded.broken[0]?.failure;
    expect(failure?.reason === 'duplicate-id' && failure.places).toHaveLength(11);
    expect(failure?.reason === 'duplicate-id' && failure.places.at(-1)).toBe('20 more');
    expect(loaded.problems.at(-1)?.message).toBe('and 10 more problems');
  });
});

describe('depending on the id of a matrix', () => {
  const matrix = work('ws-m', { matrix: { n: [1, 2] } });

  test('is depending on all its members, once each, and completed is stricter', () => {
    const after = work('ws-z', {
      depends_on: [{ id: 'ws-m', when: 'finished' }, 'ws-m-n-2', 'ws-other', 'ws-other'],
    });
    const loaded = loadFiles({ 'a.json': after, 'm.json': matrix });
    expect(loaded.workstreams.find(({ id }) => id === 'ws-z')?.dependsOn).toEqual([
      { id: 'ws-m-n-1', when: 'finished' },
      { id: 'ws-m-n-2', when: 'completed' },
      { id: 'ws-other', when: 'completed' },
    ]);
  });

  test('means the workstream itself where there is one, with a warning', () => {
    const loaded = loadFiles({
      'a.json': work('ws-z', { depends_on: ['ws-m'] }),
      'm.json': matrix,
      'n.json': work('ws-m'),
    });
    expect(loaded.workstreams.find(({ id }) => id === 'ws-z')?.dependsOn).toEqual([
      { id: 'ws-m', when: 'completed' },
    ]);
    expect(problemLines(loaded)).toEqual([
      'm.json:1:7: warning: id: another workstream has the id "ws-m"; depending on it means that one, not the members of this matrix',
    ]);
  });

  test('is refused where it would make millions of dependencies', () => {
    const values = Array.from({ length: 3000 }, (_, index) => index);
    const loaded = loadFiles({
      'a.json': work('ws-a', { matrix: { n: values } }),
      'b.json': work('ws-b', { depends_on: ['ws-a'], matrix: { n: values } }),
    });
    expect(loaded.workstreams).toHaveLength(3000 + 1667);
    expect(loaded.broken).toHaveLength(1333);
    expect(problemLines(loaded)[0]).toBe(
      'b.json:1:52: error: depends_on: matrices make more than 5000000 dependencies of what is written in all files',
    );
  });

  test('a workstream that depends on itself or on nothing known is left to the plan', () => {
    const loaded = loadFiles({ 'a.json': work('ws-a', { depends_on: ['ws-a', 'ws-none'] }) });
    expect(loaded.problems).toEqual([]);
    expect(loaded.workstreams[0]?.dependsOn.map(({ id }) => id)).toEqual(['ws-a', 'ws-none']);
  });
});
