import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thinned } from '../../../src/text/sparkline.ts';
import { SeriesCollector } from '../../../workers/modules/metric-series.ts';

function collected(values: readonly number[]): { points: [number, number][]; total: number } {
  const collector = new SeriesCollector();
  for (const value of values) collector.add('loss', value, undefined);
  return collector.all['loss'] ?? { points: [], total: 0 };
}

test('keeps every point of a short series, by the number of points before it', () => {
  expect(collected([3, 1, 2])).toEqual({
    points: [
      [0, 3],
      [1, 1],
      [2, 2],
    ],
    total: 3,
  });
});

test('keeps the steps that are given', () => {
  const collector = new SeriesCollector();
  collector.add('loss', 0.5, 10);
  collector.add('loss', 0.25, 20);
  expect(collector.all['loss']?.points).toEqual([
    [10, 0.5],
    [20, 0.25],
  ]);
});

const long = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
  minLength: 1,
  maxLength: 5_000,
  size: 'max',
});

describe('of any series', () => {
  test('the first, the last, the least and the greatest stay, and the rest is spread evenly', () => {
    fc.assert(
      fc.property(long, (values) => {
        const { points, total } = collected(values);
        const kept = points.map(([, value]) => value);
        expect(total).toBe(values.length);
        expect(points.length).toBeLessThanOrEqual(503);
        expect([kept[0], kept.at(-1)]).toEqual([values[0], values.at(-1)]);
        expect(Math.min(...kept)).toBe(Math.min(...values));
        expect(Math.max(...kept)).toBe(Math.max(...values));
        const steps = points.map(([step]) => step);
        const gaps = steps.slice(1).map((step, index) => step - (steps[index] ?? 0));
        expect(Math.max(1, ...gaps)).toBeLessThanOrEqual(Math.ceil(values.length / 250));
        expect(Math.min(1, ...gaps)).toBe(1);
      }),
      { seed: 18, numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 30) },
    );
  });

  test('a thinner one still has them', () => {
    fc.assert(
      fc.property(long, fc.integer({ min: 1, max: 100 }), (values, most) => {
        const points = thinned(collected(values).points, most);
        expect(points.length).toBeLessThanOrEqual(most + 3);
        const kept = points.map(([, value]) => value);
        expect([kept[0], kept.at(-1)]).toEqual([values[0], values.at(-1)]);
        expect(Math.min(...kept)).toBe(Math.min(...values));
        expect(Math.max(...kept)).toBe(Math.max(...values));
      }),
      { seed: 18, numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 30) },
    );
  });
});

describe('refuses', () => {
  const add =
    (...given: [unknown, unknown, unknown?]) =>
    () =>
      new SeriesCollector().add(given[0], given[1], given[2]);

  test.each<[string, [unknown, unknown, unknown?], string]>([
    [
      'a value that is not finite',
      ['loss', Number.NaN],
      'The metric "loss" is NaN; expected a finite number.',
    ],
    ['a value that is no number', ['loss', '1'], 'The metric "loss" is a string; expected a finite number.'],
    [
      'a step that is not finite',
      ['loss', 1, Infinity],
      'The step of the metric "loss" is Infinity; expected a finite number.',
    ],
    ['a name that is no text', [5, 1], 'The name of a metric is a number; expected text.'],
    ['a blank name', [' ', 1], '" " can\'t be the name of a metric.'],
    ['a reserved name', ['__proto__', 1], '"__proto__" can\'t be the name of a metric.'],
    ['a name that is too long', ['x'.repeat(201), 1], 'has 201 characters; expected at most 200.'],
  ])('%s', (_, given, message) => {
    expect(add(...given)).toThrow(TypeError);
    expect(add(...given)).toThrow(message);
  });
});

test('takes a hundred names, and no more', () => {
  const collector = new SeriesCollector();
  for (let n = 0; n < 100; n += 1) expect(collector.add(`m${n}`, 1, undefined)).toBe(true);
  expect(collector.add('another', 1, undefined)).toBe(false);
  expect(collector.add('m0', 2, undefined)).toBe(true);
});
