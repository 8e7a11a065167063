import { describe, expect, test } from 'vitest';
import { type FoldNode, folded } from '../../../src/web/model/folds.ts';

const node = (id: string, dependsOn: string[] = [], kind = 'skipped'): FoldNode => ({ id, dependsOn, kind });

const many = (count: number, dependsOn: string[], kind?: string): FoldNode[] =>
  Array.from({ length: count }, (_, index) => node(`${kind ?? 'w'}-${index}`, dependsOn, kind));

const ids = (nodes: readonly FoldNode[]): string[] => folded(nodes).map(({ id }) => id);

describe('workstreams that are alike', () => {
  test('are drawn as the first four and one in the place of the others', () => {
    const [root, ...rest] = folded([node('root', [], 'failed'), ...many(200, ['root'])]);
    expect(root).toEqual({ id: 'root', dependsOn: [], stands: [] });
    expect(rest.map(({ stands }) => stands.length)).toEqual([0, 0, 0, 0, 196]);
    expect(rest.map(({ dependsOn }) => dependsOn)).toEqual(Array.from({ length: 5 }, () => ['root']));
  });

  test('are all drawn where there are few', () => {
    expect(ids([node('root'), ...many(8, ['root'])])).toHaveLength(9);
  });

  test('are told apart by how they ended and by what they need', () => {
    const nodes = [
      node('root'),
      node('other'),
      ...many(6, ['root'], 'failed'),
      ...many(6, ['root'], 'skipped'),
      ...many(6, ['root', 'other'], 'retried'),
    ];
    expect(ids(nodes)).toHaveLength(20);
  });

  test('are told apart by what needs them', () => {
    expect(ids([...many(12, []), node('after', ['w-3'])])).toEqual([
      'w-0',
      'w-1',
      'w-2',
      'w-3',
      'w-4',
      'w-5',
      'after',
    ]);
  });

  test('keep the edges to what needs all of them', () => {
    const [after] = folded([
      ...many(100, []),
      node(
        'after',
        many(100, []).map(({ id }) => id),
      ),
    ]).slice(-1);
    expect(after?.dependsOn).toEqual(['w-0', 'w-1', 'w-2', 'w-3', 'w-4']);
  });
});
