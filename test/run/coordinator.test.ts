/** Examples of what the coordinator does; then any graph of workstreams, with any outcomes in any order. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { makePlan } from '../../src/plan/plan.ts';
import type { Decision } from '../../src/run/coordinator.ts';
import type { ReopenOutcome, StopOutcome } from '../../src/run/workstream-control.ts';
import { moduleStep, runStep, toolStep } from '../kit/definitions.ts';
import { makeFolder, type Sketch } from '../kit/make-workstream.ts';
import { completed, failed } from '../kit/scripted-engine.ts';
import {
  checkConsequences,
  checkResults,
  choices,
  expected,
  FAILURES,
  type Part,
  parts,
  run,
  settled,
  sorted,
  statuses,
  twoMakers,
} from './any-run.ts';
import { Rehearsal, type RehearsalOptions } from './rehearsal.ts';

/** More with the variable MILLRACE_TEST_CASES. */
const RUNS = Number(process.env['MILLRACE_TEST_CASES'] ?? 300);

beforeEach(() => {
  // Pauses between attempts pass when the test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Begins a run; nothing has ended yet. */
async function begin(sketches: Sketch[], options: Partial<RehearsalOptions> = {}): Promise<Rehearsal> {
  const plan = makePlan(makeFolder(sketches), new Map());
  const rehearsal = new Rehearsal({ agents: 2, ...options, plan });
  rehearsal.start();
  await settled();
  return rehearsal;
}

/** The ids of what runs, in the order in which it was started. */
const running = ({ engine }: Rehearsal): string[] =>
  engine.open.map(({ assignment }) => assignment.workstream.id);

/** Ends the execution of this workstream. */
async function end(rehearsal: Rehearsal, id: string, outcome = completed()): Promise<void> {
  const execution = rehearsal.engine.open.find(({ assignment }) => assignment.workstream.id === id);
  if (execution === undefined) throw new Error(`${id} does not run`);
  execution.end(outcome);
  await settled();
}

/** Lets so much time pass. */
async function pass(seconds: number): Promise<void> {
  vi.advanceTimersByTime(seconds * 1000);
  await settled();
}

const resultOf = ({ results }: Rehearsal, id: string): string | undefined => {
  const result = results.get(id);
  return result === undefined ? undefined : [result.status, result.reason ?? []].flat().join(' ');
};

/** Asks to stop, and to open again, the workstream of this id. */
const stop = (rehearsal: Rehearsal, id: string): StopOutcome =>
  rehearsal.coordinator.stop(rehearsal.indexOf(id), 'ann');
const reopen = (rehearsal: Rehearsal, id: string): ReopenOutcome =>
  rehearsal.coordinator.reopen(rehearsal.indexOf(id), 'ann');

const THROWN: Failure = { reason: 'thrown', how: 'thrown', thrown: { name: 'Error', message: 'x' } };
const attempts = (maxAttempts: number, cooldownSeconds: number): Workstream['circuitBreaker'] => ({
  maxAttempts,
  maxErrorRepeats: null,
  oscillationThreshold: null,
  cooldownSeconds,
});

describe('the order of a run', () => {
  test('runs as many workstreams at once as there are agents', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    expect(running(rehearsal)).toEqual(['a', 'b']);
    await end(rehearsal, 'b');
    expect(running(rehearsal)).toEqual(['a', 'c']);
  });

  test('starts what is more important first', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', priority: 1 }, { id: 'c', priority: 2 }]);
    expect(running(rehearsal)).toEqual(['c', 'b']);
  });

  test('starts a workstream once everything that it depends on has completed', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['a', 'b'] }]);
    await end(rehearsal, 'a');
    expect(running(rehearsal)).toEqual(['b']);
    await end(rehearsal, 'b');
    expect(running(rehearsal)).toEqual(['c']);
  });

  test('starts nothing of a gate before everything of the gates before it has ended', async () => {
    const rehearsal = await begin([
      { id: 'a', gate: 1 },
      { id: 'b', gate: 2 },
    ]);
    expect(running(rehearsal)).toEqual(['a']);
    await end(rehearsal, 'a', failed(THROWN));
    expect(running(rehearsal)).toEqual(['b']);
  });

  test('runs one member of a conflict group at a time', async () => {
    const rehearsal = await begin([
      { id: 'a', conflictGroup: 'db' },
      { id: 'b', conflictGroup: 'db' },
    ]);
    expect(running(rehearsal)).toEqual(['a']);
    await end(rehearsal, 'a');
    expect(running(rehearsal)).toEqual(['b']);
  });

  test('runs a workstream alone that may not run beside others', async () => {
    const rehearsal = await begin([{ id: 'a', priority: 1 }, { id: 'b', parallelOk: false }, { id: 'c' }]);
    expect(running(rehearsal)).toEqual(['a']);
    await end(rehearsal, 'a');
    expect(running(rehearsal)).toEqual(['b']);
    await end(rehearsal, 'b');
    expect(running(rehearsal)).toEqual(['c']);
  });
});

describe('a failure', () => {
  test('does not stop the others', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }], { agents: 1 });
    await end(rehearsal, 'a', failed(THROWN));
    await end(rehearsal, 'b');
    expect(['a', 'b'].map((id) => resultOf(rehearsal, id))).toEqual(['failed thrown', 'completed']);
    expect(rehearsal.over).toBe(true);
  });

  test('skips what depends on the failed workstream, and what depends on that', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', needs: ['a'] }, { id: 'c', needs: ['b'] }]);
    await end(rehearsal, 'a', failed(THROWN));
    expect(['b', 'c'].map((id) => resultOf(rehearsal, id))).toEqual([
      'skipped dependency-failed',
      'skipped dependency-failed',
    ]);
  });

  test('does not skip what only waits for the end of the failed workstream', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', needs: ['~a'] }]);
    await end(rehearsal, 'a', failed(THROWN));
    expect(running(rehearsal)).toEqual(['b']);
  });

  test('of a definition is known before anything is executed', async () => {
    const rehearsal = await begin([{ id: 'a', needs: ['a'] }]);
    expect(resultOf(rehearsal, 'a')).toBe('failed cycle');
    expect(rehearsal.over).toBe(true);
  });
});

describe('attempts', () => {
  test('end with the first that completes', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(3, 0) }]);
    await end(rehearsal, 'a', failed(THROWN));
    await pass(0);
    await end(rehearsal, 'a');
    expect([resultOf(rehearsal, 'a'), rehearsal.results.get('a')?.attempts]).toEqual(['completed', 2]);
  });

  test('are as many as the definition allows', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(2, 0) }]);
    await end(rehearsal, 'a', failed(THROWN));
    await pass(0);
    await end(rehearsal, 'a', failed(THROWN));
    expect(resultOf(rehearsal, 'a')).toBe('failed thrown');
  });

  test('leave the agent to others during the pause between them', async () => {
    const two = [{ id: 'a', circuitBreaker: attempts(2, 5) }, { id: 'b' }];
    const rehearsal = await begin(two, { agents: 1 });
    await end(rehearsal, 'a', failed(THROWN));
    expect(running(rehearsal)).toEqual(['b']);
    await end(rehearsal, 'b');
    await pass(4);
    expect(running(rehearsal)).toEqual([]);
    await pass(1);
    expect(running(rehearsal)).toEqual(['a']);
  });

  test('do not follow a failure that would come again', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(3, 0) }]);
    await end(rehearsal, 'a', failed({ reason: 'command-not-found', command: 'x' }));
    expect(resultOf(rehearsal, 'a')).toBe('failed command-not-found');
  });
});

describe('an interruption', () => {
  const CTRL_C = { by: 'SIGINT', detail: 'Ctrl-C' };

  test('starts nothing more, and skips what was not started', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }], { agents: 1 });
    rehearsal.coordinator.interrupt(CTRL_C);
    await end(rehearsal, 'a', failed(THROWN));
    expect(running(rehearsal)).toEqual([]);
    expect(['a', 'b'].map((id) => resultOf(rehearsal, id))).toEqual([
      'skipped interrupted',
      'skipped interrupted',
    ]);
  });

  test('keeps the result of what completed all the same', async () => {
    const rehearsal = await begin([{ id: 'a' }]);
    rehearsal.coordinator.interrupt(CTRL_C);
    await end(rehearsal, 'a');
    expect(resultOf(rehearsal, 'a')).toBe('completed');
  });

  test('ends the pause before another attempt', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(2, 60) }]);
    await end(rehearsal, 'a', failed(THROWN));
    rehearsal.coordinator.interrupt(CTRL_C);
    await settled();
    expect([rehearsal.over, resultOf(rehearsal, 'a')]).toEqual([true, 'skipped interrupted']);
  });
});

describe('a person who is asked before each workstream', () => {
  const deciding = (decisions: Record<string, Decision>): Partial<RehearsalOptions> => ({
    ask: async ({ id }) => decisions[id] ?? 'run',
  });

  test('may skip it, and with it what depends on it', async () => {
    const two = [{ id: 'a' }, { id: 'b', needs: ['a'] }];
    const rehearsal = await begin(two, deciding({ a: 'skip' }));
    expect(['a', 'b'].map((id) => resultOf(rehearsal, id))).toEqual([
      'skipped skipped-by-user',
      'skipped dependency-failed',
    ]);
  });

  test('may call it done, so that what depends on it is run', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', needs: ['a'] }], deciding({ a: 'done' }));
    expect(resultOf(rehearsal, 'a')).toBe('completed');
    expect(running(rehearsal)).toEqual(['b']);
  });
});

const agents = fc.integer({ min: 1, max: 5 });
const distribution = fc.constantFrom('dynamic' as const, 'dynamic' as const, 'round-robin' as const);

describe('any graph and any outcomes', () => {
  test('every workstream has one result, which follows from its attempts and dependencies', async () => {
    await fc.assert(
      fc.asyncProperty(
        parts('any'),
        choices,
        agents,
        distribution,
        fc.boolean(),
        async (all, next, count, how, tiny) => {
          const course = await run(all, next, { agents: count, distribution: how, tiny });
          checkResults(all, course);
          expect(sorted(statuses(course))).toEqual(sorted(expected(all, course.plan)));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('the same where agents get several tiny workstreams at once', async () => {
    let [again, together, deaths] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(parts('plain'), choices, agents, distribution, async (all, next, count, how) => {
        const course = await run(all, next, { agents: count, distribution: how, tiny: true });
        checkResults(all, course);
        expect(sorted(statuses(course))).toEqual(sorted(expected(all, course.plan)));
        for (const [id, { attempts }] of course.rehearsal.results)
          again += Math.max(0, (course.started.get(id) ?? 0) - attempts);
        together += course.seen.together;
        deaths += course.seen.deaths;
      }),
      { numRuns: RUNS },
    );
    // Some were taken back and started again, which is no attempt.
    expect(again).toBeGreaterThan(0);
    // Some outcomes arrived together, and some threads died with others behind.
    expect(Math.min(together, deaths)).toBeGreaterThan(0);
  });

  test('the same when interrupted at any moment: what had not ended is skipped as interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(parts('any'), parts('plain')),
        choices,
        agents,
        fc.nat({ max: 60 }),
        fc.boolean(),
        async (all, next, count, after, tiny) => {
          const course = await run(all, next, { agents: count, interruptAfter: after, tiny });
          checkResults(all, course);
          const free = expected(all, course.plan);
          const differ = [...course.rehearsal.results.values()].filter(
            ({ workstreamId, status }) => free.get(workstreamId) !== status,
          );
          // What ended in time ended as it would have; only the rest was interrupted.
          expect(differ.filter(({ reason }) => reason !== 'interrupted')).toEqual([]);
          if (course.rehearsal.coordinator.interruption === null)
            expect(sorted(statuses(course))).toEqual(sorted(free));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('where tools are exhausted and money is spent, what no tool can do is skipped and the rest is done', async () => {
    const skipped = { circuit: 0, budget: 0 };
    await fc.assert(
      fc.asyncProperty(
        parts('tools'),
        choices,
        agents,
        fc.constantFrom(null, 3),
        fc.constantFrom(1, 2, 0),
        async (all, next, count, maxCostUsd, toolCircuit) => {
          const options = { agents: count, toolsOf: twoMakers, maxCostUsd, toolCircuit };
          const course = await run(all, next, options);
          checkResults(all, course);
          const isTool = new Map(
            all.map(({ sketch }) => [sketch.id, sketch.steps?.some(({ kind }) => kind === 'tool')]),
          );
          for (const { workstreamId, reason } of course.rehearsal.results.values()) {
            if (reason === 'circuit-open') {
              expect([isTool.get(workstreamId), toolCircuit > 0]).toEqual([true, true]);
              skipped.circuit += 1;
            } else if (reason === 'budget-exceeded') {
              expect([isTool.get(workstreamId), maxCostUsd]).toEqual([true, 3]);
              skipped.budget += 1;
            }
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect(skipped.circuit).toBeGreaterThan(0);
    expect(skipped.budget).toBeGreaterThan(0);
  });
});

/** A workstream whose first attempt completes. */
const plainPart = (id: string, steps: Sketch['steps'], fields: Partial<Sketch> = {}): Part => ({
  sketch: { id, ...(steps === undefined ? {} : { steps }), ...fields },
  ends: [null],
});

test('an agent whose tool is exhausted runs what needs no tool, while the other runs what needs its own', async () => {
  const quota: Part = {
    ...plainPart('ws-0', [toolStep('helper')], { priority: 2 }),
    ends: [FAILURES[0] ?? null],
  };
  const all = [
    quota,
    plainPart('ws-1', [moduleStep('/x')], { priority: 1 }),
    plainPart('ws-2', [toolStep('helper')]),
    plainPart('ws-3', [toolStep('helper')]),
    plainPart('ws-4', [moduleStep('/x')]),
  ];
  // The first of those that run ends: the tool of agent-1 fails while agent-2 is busy.
  const course = await run(all, [0], { agents: 2, toolsOf: twoMakers, toolCircuit: 1 });
  checkResults(all, course);
  const agentOf = (id: string): string | undefined => course.rehearsal.results.get(id)?.agentId;
  expect(['ws-0', 'ws-1', 'ws-2', 'ws-3', 'ws-4'].map(agentOf)).toEqual([
    'agent-1',
    'agent-2',
    'agent-2',
    'agent-2',
    'agent-1',
  ]);
});

test('a rejection of the engine, which is a bug, ends the run with that error once everything has ended', async () => {
  const rehearsal = await begin([{ id: 'a' }, { id: 'b' }]);
  rehearsal.engine.open[0]?.reject(new Error('a bug'));
  await settled();
  expect(rehearsal.over).toBe(false);
  await end(rehearsal, 'b');
  expect([rehearsal.over, String(rehearsal.fault)]).toEqual([true, 'Error: a bug']);
});

test('a rejection of the engine leaves no member of its batch assigned', async () => {
  const rehearsal = await begin(
    Array.from({ length: 100 }, (_, index) => ({ id: `ws-${index}`, steps: [moduleStep('/x')] })),
    { agents: 1 },
  );
  while (rehearsal.engine.open.length < 2)
    await end(rehearsal, running(rehearsal)[0] ?? '', completed(0.000_01));
  const last = rehearsal.engine.open.at(-1);
  last?.reject(new Error('a bug'));
  await settled();
  while (rehearsal.engine.open.length > 0) await end(rehearsal, running(rehearsal)[0] ?? '');
  expect([rehearsal.over, String(rehearsal.fault)]).toEqual([true, 'Error: a bug']);
});

describe('a workstream that is stopped', () => {
  const STOPPED = 'failed cancelled';

  test('is told to, and has failed when it has ended', async () => {
    const rehearsal = await begin([{ id: 'a', priority: 1, steps: [runStep('x')] }, { id: 'b' }]);
    expect(stop(rehearsal, 'a')).toBe('stopping');
    const reasonOf = (id: string): unknown =>
      rehearsal.engine.open.find(({ assignment }) => assignment.workstream.id === id)?.signal.reason;
    expect([reasonOf('a'), reasonOf('b')]).toEqual(['cancelled', undefined]);
    await end(rehearsal, 'a', failed(THROWN));
    expect(resultOf(rehearsal, 'a')).toBe(STOPPED);
    expect(rehearsal.results.get('a')?.failure).toMatchObject({ by: 'ann' });
    expect(running(rehearsal)).toEqual(['b']);
  });

  test('has completed where it did so in time', async () => {
    const rehearsal = await begin([{ id: 'a' }]);
    stop(rehearsal, 'a');
    await end(rehearsal, 'a');
    expect(resultOf(rehearsal, 'a')).toBe('completed');
  });

  test('is not tried again, whatever its circuit breaker allows', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(3, 0) }]);
    stop(rehearsal, 'a');
    await end(rehearsal, 'a', failed(THROWN));
    expect(resultOf(rehearsal, 'a')).toBe(STOPPED);
    expect(rehearsal.over).toBe(true);
  });

  test('is not started where it had not begun, and what depends on it is skipped', async () => {
    const three = [{ id: 'a', priority: 1 }, { id: 'b' }, { id: 'c', needs: ['b'] }];
    const rehearsal = await begin(three, { agents: 1 });
    expect(stop(rehearsal, 'b')).toBe('stopped');
    expect(['b', 'c'].map((id) => resultOf(rehearsal, id))).toEqual([STOPPED, 'skipped dependency-failed']);
    await end(rehearsal, 'a');
    expect(rehearsal.over).toBe(true);
  });

  test('is not started where it waits for another one', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', needs: ['a'] }]);
    expect(stop(rehearsal, 'b')).toBe('stopped');
    await end(rehearsal, 'a');
    expect([resultOf(rehearsal, 'b'), rehearsal.over]).toEqual([STOPPED, true]);
  });

  test('does not wait for the end of its pause, and keeps its attempt', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(3, 60) }]);
    await end(rehearsal, 'a', failed(THROWN));
    expect(stop(rehearsal, 'a')).toBe('stopped');
    await settled();
    expect([resultOf(rehearsal, 'a'), rehearsal.results.get('a')?.attempts]).toEqual([STOPPED, 1]);
    expect(rehearsal.over).toBe(true);
  });

  test('stays so where the run is interrupted before it has ended', async () => {
    const rehearsal = await begin([{ id: 'a' }]);
    stop(rehearsal, 'a');
    rehearsal.coordinator.interrupt({ by: 'SIGINT', detail: 'Ctrl-C' });
    await end(rehearsal, 'a', failed(THROWN));
    expect(resultOf(rehearsal, 'a')).toBe(STOPPED);
  });

  test('is left alone where it has ended, or where the run is ending', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }]);
    await end(rehearsal, 'a');
    expect(stop(rehearsal, 'a')).toBe('ended');
    rehearsal.coordinator.interrupt({ by: 'SIGINT', detail: 'Ctrl-C' });
    expect(stop(rehearsal, 'b')).toBe('run-ending');
  });
});

describe('a workstream that is opened again', () => {
  test('is started once more, and its failure is an attempt of its result', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }]);
    await end(rehearsal, 'a', failed(THROWN));
    expect(reopen(rehearsal, 'a')).toMatchObject({ did: 'reopened', attempt: 2, state: 'ready', others: 0 });
    await settled();
    expect([running(rehearsal), resultOf(rehearsal, 'a')]).toEqual([['b', 'a'], undefined]);
    await end(rehearsal, 'a');
    expect(rehearsal.results.get('a')).toMatchObject({ status: 'completed', attempts: 2 });
    expect(rehearsal.results.get('a')?.metadata.earlierAttempts).toMatchObject([{ reason: 'thrown' }]);
  });

  test('lets what was skipped for it follow, also through others', async () => {
    const all = [{ id: 'a' }, { id: 'b', needs: ['a'] }, { id: 'c', needs: ['b'] }, { id: 'd' }];
    const rehearsal = await begin(all);
    await end(rehearsal, 'a', failed(THROWN));
    expect(reopen(rehearsal, 'a')).toMatchObject({ others: 2 });
    await settled();
    for (const id of ['a', 'b', 'c']) await end(rehearsal, id);
    expect(['a', 'b', 'c'].map((id) => resultOf(rehearsal, id))).toEqual(Array(3).fill('completed'));
  });

  test('leaves skipped what another failure keeps from being run, and names that one', async () => {
    const all = [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['a', 'b'] }, { id: 'd' }];
    const rehearsal = await begin(all, { agents: 3 });
    await end(rehearsal, 'a', failed(THROWN));
    await end(rehearsal, 'b', failed(THROWN));
    reopen(rehearsal, 'a');
    expect(rehearsal.results.get('c')?.failure).toMatchObject({ dependency: 'b' });
  });

  test('lets what waits for its end wait again, unless that has begun', async () => {
    const all = [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['~a'] }, { id: 'd', needs: ['~a'] }];
    const rehearsal = await begin(all);
    await end(rehearsal, 'a', failed(THROWN));
    expect(running(rehearsal)).toEqual(['b', 'c']);
    reopen(rehearsal, 'a');
    await end(rehearsal, 'b');
    expect(running(rehearsal)).toEqual(['c', 'a']);
    await end(rehearsal, 'a');
    expect(running(rehearsal)).toEqual(['c', 'd']);
  });

  test('does not keep what has begun before from its next attempt', async () => {
    const later = { id: 'c', needs: ['~a'], circuitBreaker: attempts(2, 1) };
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }, later, { id: 'd' }]);
    await end(rehearsal, 'a', failed(THROWN));
    await end(rehearsal, 'c', failed(THROWN));
    expect(running(rehearsal)).toEqual(['b', 'd']);
    vi.advanceTimersByTime(1000);
    reopen(rehearsal, 'a');
    await end(rehearsal, 'b');
    await end(rehearsal, 'd');
    expect(running(rehearsal).toSorted()).toEqual(['a', 'c']);
  });

  test('may be tried beyond its max_attempts, once each time', async () => {
    const rehearsal = await begin([{ id: 'a', circuitBreaker: attempts(1, 0) }, { id: 'b' }]);
    for (const attempt of [2, 3]) {
      await end(rehearsal, 'a', failed(THROWN));
      expect(reopen(rehearsal, 'a')).toMatchObject({ did: 'reopened', attempt });
      await settled();
    }
    await end(rehearsal, 'a', failed(THROWN));
    expect(rehearsal.results.get('a')).toMatchObject({ status: 'failed', attempts: 3 });
  });

  test('must have failed', async () => {
    const all = [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['d'] }, { id: 'd' }];
    const rehearsal = await begin(all, { agents: 3 });
    await end(rehearsal, 'a');
    await end(rehearsal, 'd', failed(THROWN));
    const did = ['a', 'b', 'c'].map((id) => reopen(rehearsal, id).did);
    expect(did).toEqual(['not-failed', 'not-ended', 'not-failed']);
  });

  test('stays failed where the store does not take that', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b', needs: ['a'] }, { id: 'c' }]);
    await end(rehearsal, 'a', failed(THROWN));
    rehearsal.refusesToWithdraw = true;
    expect(() => reopen(rehearsal, 'a')).toThrow('refused');
    await end(rehearsal, 'c');
    expect(['a', 'b'].map((id) => resultOf(rehearsal, id))).toEqual([
      'failed thrown',
      'skipped dependency-failed',
    ]);
    expect(rehearsal.over).toBe(true);
  });

  test('is refused once nothing more is started', async () => {
    const rehearsal = await begin([{ id: 'a' }, { id: 'b' }]);
    await end(rehearsal, 'a', failed(THROWN));
    await end(rehearsal, 'b');
    expect([rehearsal.over, reopen(rehearsal, 'a').did]).toEqual([true, 'run-ending']);
  });
});

test('any stops and retries at any moment leave each workstream one result, which follows from what it depends on', async () => {
  const seen = { stopped: 0, reopened: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(parts('any'), parts('plain')),
      choices,
      agents,
      distribution,
      fc.boolean(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
      async (all, next, count, how, tiny, acts) => {
        const course = await run(all, next, { agents: count, distribution: how, tiny, acts });
        checkResults(all, course);
        checkConsequences(course);
        seen.stopped += course.seen.stopped;
        seen.reopened += course.seen.reopened;
      },
    ),
    { numRuns: RUNS },
  );
  expect(Math.min(seen.stopped, seen.reopened)).toBeGreaterThan(RUNS / 10);
});
