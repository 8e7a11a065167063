/** Any graph of workstreams, any mix of outcomes, in any order of their ends, interrupted at any moment. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makePlan } from '../../src/plan/plan.ts';
import { makeFolder, type Sketch } from '../plan/make-workstream.ts';
import { moduleStep, toolStep } from '../kit/definitions.ts';
import {
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
import { Rehearsal } from './rehearsal.ts';
import { completed } from './scripted-engine.ts';

/** More with the variable MILLRACE_TEST_CASES. */
const RUNS = Number(process.env['MILLRACE_TEST_CASES'] ?? 300);

beforeEach(() => {
  // Pauses between attempts pass when the test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const agents = fc.integer({ min: 1, max: 5 });
const distribution = fc.constantFrom('dynamic' as const, 'dynamic' as const, 'round-robin' as const);

describe('any graph and any outcomes', () => {
  test('every workstream has one result, the one that its attempts and dependencies give', async () => {
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

  test('so where agents get several tiny ones at once', async () => {
    let again = 0;
    await fc.assert(
      fc.asyncProperty(parts('plain'), choices, agents, distribution, async (all, next, count, how) => {
        const course = await run(all, next, { agents: count, distribution: how, tiny: true });
        checkResults(all, course);
        expect(sorted(statuses(course))).toEqual(sorted(expected(all, course.plan)));
        for (const [id, { attempts }] of course.rehearsal.results)
          again += Math.max(0, (course.begun.get(id) ?? 0) - attempts);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
    // Some were given back and begun anew, which is no attempt.
    expect(again).toBeGreaterThan(0);
  });

  test('so when it is interrupted at any moment: what had not ended is skipped as interrupted', async () => {
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

  test('where tools are used up and money is spent, what no tool can do any more is skipped, and the rest is done', async () => {
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

/** A way to run it, for as long as it takes. */
const plainPart = (id: string, steps: Sketch['steps'], fields: Partial<Sketch> = {}): Part => ({
  sketch: { id, ...(steps === undefined ? {} : { steps }), ...fields },
  ends: [null],
});

test('an agent whose tool is used up goes on with what needs none, while others have what needs theirs', async () => {
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
  // The first of those that run ends: agent-1 fails by its tool while agent-2 has something else in hand.
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

test('an engine that rejects, which none may, ends the run with that error when all have ended', async () => {
  const all = [plainPart('ws-0', [moduleStep('/x')]), plainPart('ws-1', [moduleStep('/x')])];
  const plan = makePlan(makeFolder(all.map(({ sketch }) => sketch)), new Map());
  const rehearsal = new Rehearsal({ plan, agents: 2 });
  rehearsal.start();
  await settled();
  const [first, second] = rehearsal.engine.open;
  first?.reject(new Error('a bug'));
  await settled();
  expect(rehearsal.over).toBe(false);
  second?.end(completed());
  await settled();
  expect([rehearsal.over, String(rehearsal.fault)]).toEqual([true, 'Error: a bug']);
});
