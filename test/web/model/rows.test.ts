import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareKeys, rowsOf } from '../../../src/web/model/rows.ts';
import { errorPattern } from '../../kit/consolidated-result.ts';
import { failed, runOf, skippedFor, workstream } from '../kit.ts';

const run = runOf(
  [
    workstream('ws-a', { title: 'Login flow', seconds: 3 }),
    failed('ws-b', 'thrown', { title: 'Gateway', seconds: 1, patternId: 'p-1' }),
    skippedFor('ws-c', 'ws-b'),
    workstream('ws-d', { attemptCount: 2, seconds: 2, matrix: { level: 9, codec: 'xz' } }),
    workstream('ws-e', { seconds: 5, matrix: { level: 90, codec: 'xz' } }),
  ],
  { errors: [errorPattern({ id: 'p-1', telling: 'connect ECONNREFUSED' })] },
);

const ids = (
  query: string,
  states: string[] = [],
  column: string | null = null,
  descending = false,
): string =>
  rowsOf(run, { query, states, sort: column === null ? null : { column, descending } })
    .map(({ id }) => id.slice(3))
    .join('');

test('what needs a person comes first', () => {
  expect(ids('')).toBe('bcdae');
});

test('every word of a search has to be somewhere: in the id, the title, the error', () => {
  expect(ids('LOGIN')).toBe('a');
  expect(ids('gateway econnrefused')).toBe('b');
  expect(ids('gateway login')).toBe('');
});

test('a value of the matrix is asked for by its name', () => {
  expect(ids('level=9')).toBe('d');
  expect(ids('codec=xz')).toBe('de');
});

test('states are alternatives, and those that took several attempts are one of them', () => {
  expect(ids('', ['failed', 'skipped'])).toBe('bc');
  expect(ids('', ['retried'])).toBe('d');
  expect(ids('', ['completed'])).toBe('dae');
});

test('rows are sorted by a column in either direction, and what is not known is last', () => {
  expect(ids('', [], 'took')).toBe('bdaec');
  expect(ids('', [], 'took', true)).toBe('eadbc');
  expect(ids('', [], 'no such column')).toBe('bcdae');
  expect(ids('', [], 'constructor')).toBe('bcdae');
});

test('the order of keys is one that can be sorted by', () => {
  const key = fc.option(fc.oneof(fc.double({ noNaN: true }), fc.string()));
  fc.assert(
    fc.property(key, key, fc.constantFrom(1 as const, -1 as const), (a, b, direction) => {
      const orders = [compareKeys(a, b, direction), compareKeys(b, a, direction)].map(Math.sign);
      expect(Math.abs((orders[0] ?? 0) + (orders[1] ?? 0))).toBe(0);
    }),
    { seed: 7 },
  );
});
