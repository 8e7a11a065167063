import { describe, expect, test } from 'vitest';
import { associations, describeAssociation } from '../../src/analysis/associations.ts';
import {
  circumstancesOf,
  type HistoryEvent,
  type HistoryPlan,
  syntheticHistory,
  syntheticId,
} from '../kit/synthetic-history.ts';

const ID = syntheticId(2);

function found(plan: Partial<HistoryPlan>) {
  const history = syntheticHistory({ seed: 3, runs: 60, workstreams: 20, ...plan });
  return associations(
    history.map(({ run, machine }) => ({ run, machine })),
    circumstancesOf(history),
  );
}

type Flaky = Extract<HistoryEvent, { kind: 'flaky' }>;

const flaky = (fields: Partial<Flaky>): Flaky => ({
  kind: 'flaky',
  workstreamId: ID,
  message: 'Broken',
  rate: 0.7,
  ...fields,
});

const MACHINES = { 'build-1': 1, 'build-2': 1, 'build-3': 1 };

describe('a pattern goes with', () => {
  test('the machine on which alone it is seen', () => {
    const events = [flaky({ where: (_, { machine }) => machine === 'build-2' })];
    const [association, ...others] = found({ machines: MACHINES, events });
    expect(others).toEqual([]);
    expect(association).toMatchObject({
      patternId: 'Broken',
      factor: 'machine',
      value: 'build-2',
      unit: 'run',
      elsewhere: { failed: 0 },
    });
  });

  test('the tool and the model of all workstreams that fail so', () => {
    const tools = [
      { tool: 'claude', model: 'large' },
      { tool: 'codex', model: 'small' },
    ];
    const events = Array.from({ length: 10 }, (_, index) =>
      flaky({ workstreamId: syntheticId(2 * index), rate: 0.1 }),
    );
    expect(found({ tools, events }).map(({ factor, value, unit }) => [factor, value, unit])).toEqual([
      ['tool', 'claude', 'workstream'],
      ['model', 'large', 'workstream'],
    ]);
  });

  test('the agent that has a name of its own', () => {
    const where: Flaky['where'] = ({ agentId }) => agentId === 'eve';
    expect(found({ agents: ['ada', 'eve'], events: [flaky({ where })] })).toMatchObject([
      { factor: 'agent', value: 'eve', unit: 'result' },
    ]);
  });

  test('no slot of the pool', () => {
    const where: Flaky['where'] = ({ agentId }) => agentId === 'agent-2';
    expect(found({ events: [flaky({ where })] })).toEqual([]);
  });

  test('nothing where it comes by chance', () => {
    expect(found({ machines: MACHINES, agents: ['ada', 'eve'], events: [flaky({ rate: 0.3 })] })).toEqual([]);
  });

  test('no machine that was there at the time of a break', () => {
    const history = syntheticHistory({
      seed: 3,
      runs: 60,
      workstreams: 20,
      events: [{ kind: 'break', workstreamId: ID, message: 'Broken', from: 40, to: 60 }],
    });
    const runs = history.map(({ run }, index) => ({ run, machine: index < 40 ? 'old' : 'new' }));
    expect(associations(runs, circumstancesOf(history))).toEqual([]);
  });

  test('nothing when it was seen twice', () => {
    const events = [1, 2].map((index): HistoryEvent => {
      return { kind: 'break', workstreamId: syntheticId(index), message: 'Broken', from: 59, to: 60 };
    });
    expect(found({ machines: MACHINES, events })).toEqual([]);
  });
});

describe('in words', () => {
  const counted = {
    here: { failed: 9, total: 10 },
    elsewhere: { failed: 1, total: 40 },
    p: 0,
    patternId: 'p-1',
  };

  test.each([
    [
      { factor: 'machine', value: 'build-7', unit: 'run' },
      'goes with machine `build-7`: in 9 of 10 runs there, in 1 of 40 elsewhere',
    ],
    [
      { factor: 'tool', value: 'co`dex\u001b[31m', unit: 'workstream' },
      "goes with tool `co'dex`: in 9 of 10 workstreams with it, in 1 of 40 without",
    ],
    [
      { factor: 'commit', value: '0123456789abcdef0123', unit: 'run' },
      'goes with commit `0123456789ab`: in 9 of 10 runs there, in 1 of 40 elsewhere',
    ],
    [
      { factor: 'hour', value: '3', unit: 'run' },
      'goes with the hour from 3:00 UTC: in 9 of 10 runs then, in 1 of 40 at other times',
    ],
  ] as const)('%o', (association, text) => {
    expect(describeAssociation({ ...counted, ...association })).toBe(text);
  });
});
