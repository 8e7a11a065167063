/** What the decisions come to, in virtual time: work on a simulated machine, on fixed numbers of agents and on `auto`. */
import { describe, expect, test } from 'vitest';
import { type Phases, simulate } from './simulated-machine.ts';

const compute = (seconds: number) => ({ does: 'compute', seconds }) as const;
const wait = (seconds: number) => ({ does: 'wait', seconds }) as const;
const COUNTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/** Work that takes all cores about 15 seconds, in pieces of `unit` seconds. */
const workOf = (cores: number, unit: number, phasesOf: (index: number) => Phases): Phases[] =>
  Array.from({ length: Math.round((30 * cores) / unit) }, (_, index) => phasesOf(index));

const best = (work: readonly Phases[], cores: number): number =>
  Math.min(...COUNTS.map((count) => simulate(work, cores, count).seconds));

describe.each([1, 2, 4, 8])('on %d cores', (cores) => {
  describe.each([0.05, 0.15, 0.5, 2])('in pieces of %d s', (unit) => {
    test('half of the workstreams compute and half wait: within 10 %% of the best fixed number', () => {
      const work = workOf(cores, unit, (index) => [index % 2 === 0 ? compute(unit) : wait(unit)]);
      expect(simulate(work, cores, 'auto').seconds).toBeLessThanOrEqual(1.1 * best(work, cores));
    });

    test('each computes for half of its time and waits for the other: within 10 %% too', () => {
      const work = workOf(cores, unit * 2, () => [compute(unit), wait(unit)]);
      expect(simulate(work, cores, 'auto').seconds).toBeLessThanOrEqual(1.1 * best(work, cores));
    });

    test('what only computes never has more agents than cores', () => {
      const work = workOf(cores, unit, () => [compute(unit)]);
      expect(simulate(work, cores, 'auto').counts).toEqual([cores]);
    });

    test('what only waits has as many as there may be', () => {
      const work = workOf(cores * 32, unit, () => [wait(unit)]);
      expect(simulate(work, cores, 'auto', 32).counts.at(-1)).toBe(32);
    });
  });
});

/** As a plan orders it whose durations are known: what takes longest comes first. */
describe.each([1, 2, 4, 8])(
  'on %d cores, first all that computes and then all that waits, or the reverse',
  (cores) => {
    test.each([0.05, 0.15])('in pieces of %d s: within 10 %% of the best of 1 to 12', (unit) => {
      const half = Math.round((15 * cores) / unit);
      const [first, second] = [compute(unit), wait(unit)].map((phase) =>
        Array.from({ length: half }, (): Phases => [phase]),
      );
      for (const work of [
        [...(first ?? []), ...(second ?? [])],
        [...(second ?? []), ...(first ?? [])],
      ]) {
        const fixed = [1, 2, 3, 4, 6, 8, 12].map((count) => simulate(work, cores, count).seconds);
        expect(simulate(work, cores, 'auto').seconds).toBeLessThanOrEqual(1.1 * Math.min(...fixed));
      }
    });
  },
);
