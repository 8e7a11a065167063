import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPlace, OVERVIEWS, type PagePlace, parsePlace, START } from '../../../src/web/model/place.ts';

test('a fragment names the section, the search, the filters and the order', () => {
  expect(parsePlace('#/done?q=auth+login&state=failed,skipped&sort=-took')).toEqual({
    ...START,
    view: { kind: 'run', section: 'done' },
    query: 'auth login',
    states: ['failed', 'skipped'],
    sort: { column: 'took', descending: true },
  });
});

test('a workstream has an address of its own, whatever its id', () => {
  const view = { kind: 'workstream', id: 'a/b?c#d %2F é' } as const;
  expect(parsePlace(formatPlace({ ...START, view })).view).toEqual(view);
});

test('what a fragment can’t mean is left out', () => {
  expect(parsePlace('#/nowhere?t=9-3&sort=-&state=,,&%E0%A4%A')).toEqual(START);
  expect(parsePlace('#/workstream/%E0%A4%A').view).toEqual({ kind: 'workstream', id: '%E0%A4%A' });
  expect(parsePlace('')).toEqual(START);
});

test('the page as it is opened has a short address', () => {
  expect(formatPlace(START)).toBe('#/');
});

const word = fc.string({ unit: 'grapheme', minLength: 1 });
const column = word.filter((text) => !text.startsWith('-'));
const sort = fc.option(fc.record({ column, descending: fc.boolean() }));
const time = fc
  .tuple(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }))
  .map(([from, length]): [number, number] => [from / 100, (from + length) / 100]);
const inRun = fc.oneof(
  fc.record({ kind: fc.constantFrom('workstream' as const, 'pattern' as const, 'log' as const), id: word }),
  fc.record({
    kind: fc.constant('run' as const),
    section: fc.constantFrom('verdict' as const, 'timeline' as const),
  }),
);
const overRuns = fc.oneof(
  fc.record({ kind: fc.constant('overview' as const), name: fc.constantFrom(...OVERVIEWS) }),
  fc.record({
    kind: fc.constant('history' as const),
    of: fc.constantFrom('workstreams' as const, 'patterns' as const),
    id: word,
  }),
);
const choices: fc.Arbitrary<Omit<PagePlace, 'run' | 'view'>> = fc.record({
  query: fc.string({ unit: 'grapheme' }),
  states: fc.array(fc.constantFrom('failed', 'skipped', 'retried')),
  sort,
  resultsSort: sort,
  time: fc.option(time),
  open: fc.array(word),
  all: fc.boolean(),
  wholeGraph: fc.boolean(),
  x: fc.option(word),
  y: fc.option(word),
});

test('every place is read from its fragment as it was', () => {
  fc.assert(
    fc.property(choices, inRun, (choice, view) => {
      const place = { ...choice, run: null, view };
      expect(parsePlace(formatPlace(place))).toEqual(place);
    }),
    { seed: 7 },
  );
});

test('every place of the dashboard is read from its fragment as it was', () => {
  const places = fc.oneof(
    fc.record({ run: word, view: inRun }),
    fc.record({ run: fc.constant(null), view: overRuns }),
  );
  fc.assert(
    fc.property(choices, places, (choice, where) => {
      const place = { ...choice, ...where };
      expect(parsePlace(formatPlace(place), true)).toEqual(place);
    }),
    { seed: 7 },
  );
});

test('the dashboard begins with the runs, and has the pages of each run below its id', () => {
  const runs = { kind: 'overview', name: 'runs' };
  expect(parsePlace('', true).view).toEqual(runs);
  expect(parsePlace('#/nowhere', true).view).toEqual(runs);
  expect(parsePlace('#/run/', true).view).toEqual(runs);
  expect(parsePlace('#/run/ma-run-1/done?q=auth', true)).toEqual({
    ...START,
    run: 'ma-run-1',
    view: { kind: 'run', section: 'done' },
    query: 'auth',
  });
  expect(parsePlace('#/workstreams/a%2Fb', true).view).toEqual({
    kind: 'history',
    of: 'workstreams',
    id: 'a/b',
  });
});

test('any fragment is a place', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(formatPlace(parsePlace(`#/${text}`))).toMatch(/^#\//);
    }),
    { seed: 7 },
  );
});
