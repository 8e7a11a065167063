import { expect, test } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { Dispatcher, type DispatcherParts, type Eligibility } from '../../src/run/dispatcher.ts';
import { moduleStep, workstream } from '../kit/definitions.ts';

const TAKE: Eligibility = { verdict: 'take', refusal: null };
const REFUSAL: Failure = { reason: 'circuit-open', tool: 'aider', cause: 'tool-quota', count: 3 };

/** A dispatcher of `count` ready workstreams to two agents. */
function make(count: number, parts: Partial<DispatcherParts> = {}): Dispatcher {
  const workstreams = Array.from({ length: count }, (_, index) =>
    workstream(`ws-${index}`, [moduleStep('/m.mjs')]),
  );
  const ready = new ReadyQueue(workstreams, { agents: 2, distribution: 'dynamic', tracks: null });
  for (let index = 0; index < count; index += 1) ready.add(index);
  return new Dispatcher({ ready, agents: 2, eligibility: () => TAKE, mayBatch: null, ...parts });
}

const single = (agent: number, index: number, refusal: Failure | null = null) => ({
  type: 'single',
  agent,
  index,
  refusal,
});

/** A dispatcher that has found out that workstreams are tiny. */
function makeTiny(count: number, parts: Partial<DispatcherParts> = {}): Dispatcher {
  const dispatcher = make(count, { mayBatch: () => true, ...parts });
  for (let i = 0; i < 200; i += 1) dispatcher.addDuration(0);
  return dispatcher;
}

test('each free agent gets the next workstream in order, and no second one', () => {
  const dispatcher = make(3);
  expect(dispatcher.dispatch()).toEqual([single(0, 0), single(1, 1)]);
  expect(dispatcher.dispatch()).toEqual([]);
  dispatcher.release(1, 1);
  expect(dispatcher.dispatch()).toEqual([single(1, 2)]);
});

test('whether an agent may start a workstream is asked once for each start', () => {
  const asked: [number, number][] = [];
  const eligibility = (index: number, agent: number): Eligibility => {
    asked.push([index, agent]);
    return { verdict: 'take', refusal: index === 1 ? REFUSAL : null };
  };
  expect(make(2, { eligibility }).dispatch()).toEqual([single(0, 0), single(1, 1, REFUSAL)]);
  expect(asked).toEqual([
    [0, 0],
    [1, 1],
  ]);
});

test('an agent leaves what it may not have to the others, and takes what comes behind it', () => {
  const eligibility = (index: number, agent: number): Eligibility =>
    index === 0 && agent === 0 ? { verdict: 'pass' } : TAKE;
  expect(make(2, { eligibility }).dispatch()).toEqual([single(0, 1), single(1, 0)]);
});

test('an agent that waits for others takes nothing behind what it waits for', () => {
  const eligibility = (_: number, agent: number): Eligibility => (agent === 0 ? { verdict: 'wait' } : TAKE);
  expect(make(2, { eligibility }).dispatch()).toEqual([single(1, 0)]);
});

test('what may be in a batch is given out one by one until it is known to be tiny', () => {
  expect(make(3, { mayBatch: () => true }).dispatch()).toEqual([
    { type: 'batch', agent: 0, indices: [0], queued: false },
    { type: 'batch', agent: 1, indices: [1], queued: false },
  ]);
});

test('each agent gets one tiny workstream before any gets a second, and no more than its share', () => {
  expect(makeTiny(7).dispatch()).toEqual([
    { type: 'batch', agent: 0, indices: [0, 2, 3, 4], queued: false },
    { type: 'batch', agent: 1, indices: [1, 5, 6], queued: false },
  ]);
});

test('a batch ends before what may not be in it, and waits behind what is not', () => {
  const dispatcher = makeTiny(6, { mayBatch: (index) => index !== 0 && index !== 3 });
  expect(dispatcher.dispatch()).toEqual([
    single(0, 0),
    { type: 'batch', agent: 1, indices: [1], queued: false },
    { type: 'batch', agent: 0, indices: [2], queued: true },
  ]);
});

test('what an agent gives back is for the others as long as it executes something, and it gets no more behind that', () => {
  const dispatcher = makeTiny(10);
  expect(dispatcher.dispatch()).toEqual([
    { type: 'batch', agent: 0, indices: [0, 2, 3, 4, 5], queued: false },
    { type: 'batch', agent: 1, indices: [1, 6, 7, 8, 9], queued: false },
  ]);
  for (const index of [2, 3, 4, 5]) dispatcher.giveBack(0, index);
  expect(dispatcher.dispatch()).toEqual([{ type: 'batch', agent: 1, indices: [2, 3], queued: true }]);
  dispatcher.release(0, 0);
  expect(dispatcher.dispatch()[0]).toMatchObject({ agent: 0, indices: [4, 5] });
});

test('an agent gets its next batch when half of the one before is left', () => {
  const dispatcher = makeTiny(1_000);
  const [first] = dispatcher.dispatch();
  if (first?.type !== 'batch') throw new Error('it is no batch');
  expect(first.indices).toHaveLength(256);
  for (const index of first.indices.slice(0, 127)) dispatcher.release(0, index);
  expect(dispatcher.dispatch()).toEqual([]);
  for (const index of first.indices.slice(127, 128)) dispatcher.release(0, index);
  const [next, ...others] = dispatcher.dispatch();
  expect(next).toMatchObject({ type: 'batch', agent: 0, queued: true });
  expect(next?.type === 'batch' && next.indices.length).toBe(128);
  expect(others).toEqual([]);
});

test('what was not started goes to any agent', () => {
  const dispatcher = makeTiny(4);
  dispatcher.dispatch();
  dispatcher.giveBack(1, 3);
  dispatcher.release(0, 0);
  dispatcher.release(0, 2);
  expect(dispatcher.assigned).toBe(1);
  expect(dispatcher.dispatch()).toEqual([{ type: 'batch', agent: 0, indices: [3], queued: false }]);
});
