import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TrialRun } from '../../src/domain/tuning.ts';
import { adviseAgents, compareTrials } from '../../src/tune/agents-advice.ts';

const MB = 1e6;

/** A run of 100 workstreams that this many a second ended of. */
const run = (agents: number, throughput: number, memory: number | null = null): TrialRun => ({
  agents,
  seconds: 100 / throughput,
  completed: 100,
  total: 100,
  memoryBytes: memory === null ? null : memory * MB,
});

const advise = (runs: TrialRun[], memory: number | null = null) =>
  adviseAgents(compareTrials(runs), memory === null ? null : memory * MB);

describe('the comparison', () => {
  test('has the medians of each number, fewest agents first', () => {
    const trials = compareTrials([run(2, 30, 300), run(1, 10, 100), run(2, 10, 500), run(2, 19, 200)]);
    expect(trials.map(({ agents, throughput, memoryBytes }) => [agents, throughput, memoryBytes])).toEqual([
      [1, 10, 100 * MB],
      [2, 19, 300 * MB],
    ]);
    expect(trials.map(({ speedup, efficiency }) => [speedup, efficiency])).toEqual([
      [1, 1],
      [1.9, 0.95],
    ]);
  });

  test('is with the fewest agents where one was not tried', () => {
    const trials = compareTrials([run(2, 20), run(4, 30)]);
    expect(trials.map(({ speedup, efficiency }) => [speedup, efficiency])).toEqual([
      [1, 1],
      [1.5, 0.75],
    ]);
  });

  test('counts what completed, and knows nothing where nothing is known', () => {
    const [trial] = compareTrials([{ ...run(1, 10), completed: 50 }]);
    expect(trial).toMatchObject({ throughput: 5, memoryBytes: null });
    expect(compareTrials([{ ...run(1, 10), completed: 0 }])[0]).toMatchObject({ speedup: 0, efficiency: 0 });
    expect(compareTrials([])).toEqual([]);
  });
});

describe('the advice', () => {
  test.each([
    ['the fewest within 5 % of the best', [run(1, 10), run(2, 19.5), run(4, 20), run(8, 20.1)], 2, 'enough'],
    ['the best where fewer lose more', [run(1, 10), run(2, 20), run(4, 19)], 2, 'fastest'],
    ['one where more gain nothing', [run(1, 10), run(2, 10)], 1, 'fastest'],
    ['the only one', [run(3, 10)], 3, 'fastest'],
  ])('%s', (_, runs, agents, reason) => {
    expect(advise(runs)).toMatchObject({ agents, reason });
  });

  test('says where more than was tried may be faster still', () => {
    expect(advise([run(1, 10), run(2, 20)])?.explanation).toMatch(/the most that was tried$/);
    expect(advise([run(1, 10), run(2, 20), run(4, 20)])?.explanation).not.toContain('tried');
  });

  test('what memory does not allow is not recommended', () => {
    const runs = [run(1, 10, 100), run(2, 20, 150), run(4, 40, 900)];
    expect(advise(runs, 1000)).toMatchObject({ agents: 2, reason: 'memory' });
    expect(advise(runs, 1200)).toMatchObject({ agents: 4, reason: 'fastest' });
    expect(advise(runs, 50)).toMatchObject({ agents: 1, reason: 'memory' });
    expect(advise([run(1, 10, 100), run(2, 10.2, 900)], 1000)).toMatchObject({ agents: 1, reason: 'enough' });
  });

  test('there is none where nothing completed', () => {
    expect(advise([{ ...run(1, 10), completed: 0 }])).toBeNull();
    expect(advise([])).toBeNull();
  });

  test('is always one that was tried, and fewer that memory allows lose more than 5 %', () => {
    const anyRun = fc
      .record({
        agents: fc.integer({ min: 1, max: 64 }),
        throughput: fc.double({ min: 0.1, max: 100, noNaN: true }),
      })
      .map(({ agents, throughput }) => run(agents, throughput, agents * 10));
    fc.assert(
      fc.property(
        fc.array(anyRun, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 10, max: 1000 }),
        (runs, memory) => {
          const trials = compareTrials(runs);
          const chosen = trials.find(({ agents }) => agents === advise(runs, memory)?.agents);
          expect(chosen).toBeDefined();
          const fitting = trials.filter(({ memoryBytes }) => (memoryBytes ?? 0) <= memory * MB * 0.8);
          const best = Math.max(...fitting.map(({ throughput }) => throughput));
          for (const { agents, throughput } of fitting) {
            if (agents < (chosen?.agents ?? 0)) expect(throughput).toBeLessThan(best * 0.95);
          }
        },
      ),
    );
  });
});
