import { describe, expect, test } from 'vitest';
import { placesOf, valuesOf } from '../../../src/analysis/patterns/details.ts';

describe('values', () => {
  test('are what stands in a hole, the most frequent first, without quotes', () => {
    const lines = [
      "Cannot find module './config/ssl'",
      "Cannot find module 'express'",
      "Cannot find module 'express'",
    ];
    expect(valuesOf('Cannot find module <*>', lines)).toEqual([
      {
        hole: 0,
        distinct: 2,
        shown: [
          { text: 'express', count: 2 },
          { text: './config/ssl', count: 1 },
        ],
      },
    ]);
  });

  test('are counted for each hole, and a hole that never differs is left out', () => {
    const lines = ['user 7 of host db: 1 try', 'user 8 of host db: 3 try'];
    expect(
      valuesOf('user <*> of host <*>: <*> try', lines).map(({ hole, distinct }) => [hole, distinct]),
    ).toEqual([
      [0, 2],
      [2, 2],
    ]);
  });

  test('ten are shown, and all are counted', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `row ${index} is locked`);
    const [values] = valuesOf('row <*> is locked', lines);
    expect([values?.distinct, values?.shown.length]).toEqual([30, 10]);
  });

  test('of a text that does not fit are not made up', () => {
    expect(valuesOf('row <*> is locked', ['another row', 'row 7 is free'])).toEqual([]);
  });
});

describe('places', () => {
  const stack = (...frames: string[]): string =>
    ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n');

  test('are file and function of the top frame that is neither of Node nor of a package', () => {
    const stacks = [
      stack(
        'JSON.parse (<anonymous>)',
        'load (/w/node_modules/a/i.js:1:2)',
        'readAll (file:///w/tasks/read.ts:41:17)',
      ),
      stack('async readAll (/w/tasks/read.ts:12:3)'),
      stack('node:internal/process/task_queues:95:5', '/w/tasks/main.ts:1:1'),
    ];
    expect(placesOf(stacks)).toEqual([
      { place: '/w/tasks/read.ts readAll', count: 2 },
      { place: '/w/tasks/main.ts', count: 1 },
    ]);
  });

  test('of a stack without such a frame are not made up', () => {
    expect(placesOf([stack('node:fs:1:1'), 'Error: x', ''])).toEqual([]);
  });
});
