/** Who gets an agent for the tests of merged work, and when. */
import { expect, test } from 'vitest';
import type { TestHold } from '../../src/domain/run-lock.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { AgentLending } from '../../src/run/agent-lending.ts';
import { Dispatcher } from '../../src/run/dispatcher.ts';
import type { AgentLease } from '../../src/run/merged-tests.ts';
import { agentContext } from '../kit/agent-context.ts';
import { makeWorkstreams, type Sketch } from '../kit/make-workstream.ts';

const FREE: TestHold = { alone: false, conflictGroups: [] };
const ALONE: TestHold = { alone: true, conflictGroups: [] };
const DB: TestHold = { alone: false, conflictGroups: ['db'] };

/** Two agents, for these workstreams, all of which are ready. */
function lending(...sketches: Omit<Sketch, 'id'>[]) {
  const ranked = makeWorkstreams(...sketches.map((sketch, index) => ({ id: `ws-${index}`, ...sketch })));
  const ready = new ReadyQueue(ranked, { agents: 2, distribution: 'dynamic', tracks: null });
  for (const index of ranked.keys()) ready.add(index);
  const dispatcher = new Dispatcher({
    ready,
    agents: 2,
    eligibility: () => ({ verdict: 'take', refusal: null }),
    mayBatch: null,
  });
  const gate = { admits: true, left: 0 };
  const context = agentContext();
  const agents = new AgentLending({
    dispatcher,
    ready,
    gate: { admitTests: () => gate.admits, leaveTests: () => void (gate.left += 1) },
    contextOf: () => context,
    isFor: () => true,
    failure: new AbortController(),
    onChange: () => undefined,
  });
  /** Asks, and returns what has been leased until now. */
  const ask = (hold: TestHold): { lease: AgentLease | null } => {
    const asked: { lease: AgentLease | null } = { lease: null };
    void agents.ask(hold).then((lease) => (asked.lease = lease));
    return asked;
  };
  const give = async (): Promise<void> => {
    agents.give();
    await Promise.resolve();
  };
  return { agents, dispatcher, gate, ask, give };
}

test('tests get a free agent while others run', async () => {
  const { dispatcher, ask, give } = lending({}, {});
  const asked = ask(FREE);
  await give();
  expect(asked.lease).not.toBeNull();
  expect(dispatcher.dispatch()).toMatchObject([{ index: 0 }]);
});

test('tests of a conflict group wait for its member, and others of it wait for them', async () => {
  const { dispatcher, ask, give } = lending({ conflictGroup: 'db' }, { conflictGroup: 'db' });
  const [start] = dispatcher.dispatch();
  const asked = ask(DB);
  await give();
  expect(asked.lease).toBeNull();
  dispatcher.release(start?.type === 'single' ? start.agent : -1, 0);
  await give();
  expect(asked.lease).not.toBeNull();
  expect(dispatcher.dispatch()).toEqual([]);
  asked.lease?.release();
  expect(dispatcher.dispatch()).toMatchObject([{ index: 1 }]);
});

test('tests that run alone have nothing started until they have ended', async () => {
  const { agents, dispatcher, ask, give } = lending({}, {}, {});
  dispatcher.dispatch();
  const asked = ask(ALONE);
  await give();
  expect([asked.lease, agents.isDraining]).toEqual([null, true]);
  for (const index of [0, 1]) dispatcher.release(index, index);
  await give();
  expect(asked.lease).not.toBeNull();
  expect([agents.isDraining, dispatcher.dispatch()]).toEqual([false, []]);
});

test('tests that another run keeps waiting keep nothing of this one waiting', async () => {
  const { agents, gate, ask, give } = lending({});
  gate.admits = false;
  const asked = ask(ALONE);
  await give();
  expect([asked.lease, agents.isDraining]).toEqual([null, false]);
  gate.admits = true;
  await give();
  asked.lease?.release();
  expect(gate.left).toBe(1);
});
