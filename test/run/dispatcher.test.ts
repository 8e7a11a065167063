import { expect, test } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { Dispatcher, type DispatcherParts, type Eligibility, type Start } from '../../src/run/dispatcher.ts';
import { moduleStep, workstream } from '../kit/definitions.ts';

const TAKE: Eligibility = { verdict: 'take', refusal: null };
const REFUSAL: Failure = { reason: 'circuit-open', tool: 'aider', cause: 'tool-quota', count: 3 };

/** A dispatcher of `count` ready workstreams to two agents. */
function make(count: number, parts: Partial<DispatcherParts> = {}) {
  const workstreams = Array.from({ length: count }, (_, index) =>
    workstream(`ws-${index}`, [moduleStep('/m.mjs')]),
  );
  const ready = new ReadyQueue(workstreams, { agents: 2, distribution: 'dynamic', tracks: null });
  for (let index = 0; index < count; index += 1) ready.add(index);
  const dispatcher = new Dispatcher({ ready, agents: 2, eligibility: () => TAKE, mayQueue: null, ...parts });
  const dispatch = (): Start[] => {
    const starts: Start[] = [];
    dispatcher.dispatch((start) => starts.push(start));
    return starts;
  };
  return { dispatcher, dispatch };
}

test('each free agent gets the next workstream in order, and no second one', () => {
  const { dispatcher, dispatch } = make(3);
  expect(dispatch()).toEqual([
    { agent: 0, index: 0, queued: false, refusal: null },
    { agent: 1, index: 1, queued: false, refusal: null },
  ]);
  expect(dispatch()).toEqual([]);
  dispatcher.release(1, 1);
  expect(dispatch()).toEqual([{ agent: 1, index: 2, queued: false, refusal: null }]);
});

test('whether an agent may start a workstream is asked once for each start', () => {
  const asked: [number, number][] = [];
  const eligibility = (index: number, agent: number): Eligibility => {
    asked.push([index, agent]);
    return { verdict: 'take', refusal: index === 1 ? REFUSAL : null };
  };
  const { dispatch } = make(2, { eligibility });
  expect(dispatch().map(({ refusal }) => refusal)).toEqual([null, REFUSAL]);
  expect(asked).toEqual([
    [0, 0],
    [1, 1],
  ]);
});

test('an agent leaves what it may not have to the others, and takes what comes behind it', () => {
  const eligibility = (index: number, agent: number): Eligibility =>
    index === 0 && agent === 0 ? { verdict: 'pass' } : TAKE;
  const { dispatch } = make(2, { eligibility });
  expect(dispatch().map(({ agent, index }) => [agent, index])).toEqual([
    [0, 1],
    [1, 0],
  ]);
});

test('an agent that waits for others takes nothing behind what it waits for', () => {
  const eligibility = (_: number, agent: number): Eligibility => (agent === 0 ? { verdict: 'wait' } : TAKE);
  const { dispatch } = make(2, { eligibility });
  expect(dispatch().map(({ agent, index }) => [agent, index])).toEqual([[1, 0]]);
});

test('tiny workstreams are queued behind others, and go to any agent when they were not started', () => {
  const { dispatcher, dispatch } = make(4, { mayQueue: () => true });
  for (let i = 0; i < 200; i += 1) dispatcher.addDuration(0);
  expect(dispatch().map(({ agent, index, queued }) => [agent, index, queued])).toEqual([
    [0, 0, false],
    [1, 1, false],
    [0, 2, true],
    [1, 3, true],
  ]);
  dispatcher.release(0, 0);
  dispatcher.requeueOnRelease(2);
  dispatcher.release(0, 2);
  expect(dispatch()).toEqual([{ agent: 0, index: 2, queued: false, refusal: null }]);
});
