/**
 * Whatever a workstream does, its outcome is the same whether its thread gets it alone or in a batch. HOSTILE_COUNT says
 * how many are executed, HOSTILE_SEED repeats an order.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { BatchOptions } from '../../src/domain/engine.ts';
import { seededRandom } from '../kit/random.ts';
import { type Hostile, hostileWorkstream, hostileWorkstreams } from './hostile.ts';
import { baseFolder, type Observer, observe, oneByOne, type Seen, type Way } from './observed.ts';

const MAX_BATCH = 100;
/** How many batches an agent has at once. */
const IN_HAND = 2;

const inBatches =
  (random: () => number): Way =>
  async (engine, assignments, observer) => {
    const waiting = [...assignments];
    const giveBatches = async (): Promise<void> => {
      while (waiting.length > 0) {
        const batch = waiting.splice(0, 1 + Math.floor(random() * MAX_BATCH));
        const returned = await engine.executeBatch(batch, batchOptions(batch, observer));
        waiting.unshift(...returned.map((index) => at(batch, index)));
      }
    };
    await Promise.all(Array.from({ length: IN_HAND }, giveBatches));
  };

const batchOptions = (batch: readonly Assignment[], observer: Observer): BatchOptions => ({
  signal: observer.signal,
  onMessage: (index, message) => observer.said(at(batch, index), message),
  onOutcomes: (outcomes) => {
    for (const { index, outcome } of outcomes) observer.ended(at(batch, index), outcome);
  },
});

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

const count = Number(process.env['HOSTILE_COUNT'] ?? 300);
const seed = Number(process.env['HOSTILE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Executes them in both ways. What differs is in the message of the error. */
async function expectTheSame(
  base: string,
  workstreams: readonly Hostile[],
  random: () => number,
): Promise<void> {
  const alone = await observe(base, workstreams, oneByOne);
  const together = await observe(base, workstreams, inBatches(random));
  expect(alone.size).toBe(workstreams.length);
  const differing = workstreams.filter(
    ({ definition: { id } }) => !isDeepStrictEqual(alone.get(id), together.get(id)),
  );
  const of = (observed: Map<string, Seen>) =>
    differing.map(({ does, definition: { id } }) => ({ id, does, ...observed.get(id) }));
  expect(of(together)).toEqual(of(alone));
}

test(`what a workstream does has the same outcome alone and in a batch (HOSTILE_SEED=${seed})`, async () => {
  const base = baseFolder();
  const random = seededRandom(seed);
  await expectTheSame(base, hostileWorkstreams(base, count, random), random);
}, 600_000);

test('code that closes the port of its thread loses no answer of those behind it', async () => {
  const does = ['closesPort', ...Array.from({ length: 40 }, () => 'number'), 'exits'];
  const workstreams = does.map((name, n) => hostileWorkstream(name, n));
  await expectTheSame(baseFolder(), workstreams, () => 0.99);
});
