import { expect, test } from 'vitest';
import { Deaths } from '../../src/watch/watch.ts';

const RUN = 'ma-run-20260102-030405';
const segfault = { exitCode: null, signal: 'SIGSEGV' };
const begun = (results = 0, running = 0) => ({ type: 'run', runId: RUN, results, running }) as const;
const isContinued = (deaths: Deaths): boolean => deaths.died(segfault).continuation !== null;

test('a run that has begun goes on, with what is known of the death', () => {
  const deaths = new Deaths();
  deaths.begun(begun());
  expect(deaths.died(segfault)).toEqual({ continuation: { runId: RUN, death: segfault, deaths: 1 } });
});

test('where no run has begun there is nothing to go on with', () => {
  expect(new Deaths().died({ exitCode: 134, signal: null })).toEqual({
    continuation: null,
    why: 'Its process ended with exit code 134 before the run had begun. Nothing was run.',
  });
});

test('three deaths in a row between which nothing happened are enough', () => {
  const deaths = new Deaths();
  deaths.begun(begun());
  expect([isContinued(deaths), isContinued(deaths), isContinued(deaths)]).toEqual([true, true, true]);
  expect(deaths.died(segfault)).toMatchObject({
    continuation: null,
    why: expect.stringContaining(
      `3 times in a row before it did anything. All results of ${RUN} so far are kept`,
    ),
  });
});

test('nor does it help that the run is taken each time', () => {
  const deaths = new Deaths();
  const results = Array.from({ length: 4 }, () => {
    deaths.begun(begun());
    return isContinued(deaths);
  });
  expect(results).toEqual([true, true, true, false]);
});

test('whoever was in hand, or a new result, is a reason to go on; but not for ever', () => {
  for (const next of [(n: number) => begun(n), () => begun(0, 1)]) {
    const deaths = new Deaths();
    const results = Array.from({ length: 20 }, (_, n) => {
      deaths.begun(next(n));
      return isContinued(deaths);
    });
    expect(results.indexOf(false)).toBe(19);
  }
});
