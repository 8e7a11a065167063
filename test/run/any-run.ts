/** Any graph of workstreams with any mix of outcomes, run to its end in any order, with every rule checked on the way. */
import * as fc from 'fast-check';
import { expect, vi } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Failure } from '../../src/domain/failure.ts';
import type { Outcome, StepResult } from '../../src/domain/outcome.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { NO_TOKENS } from '../../src/domain/tool.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { stages } from '../../src/run/dependency-tracker.ts';
import { customTool, moduleStep, runStep, toolStep } from '../kit/definitions.ts';
import { makeFolder, type Sketch } from '../kit/make-workstream.ts';
import { NaiveReadyQueue } from '../kit/naive-ready-queue.ts';
import { completed, failed, type OpenExecution } from '../kit/scripted-engine.ts';
import { Rehearsal, type RehearsalOptions } from './rehearsal.ts';

const thrown = { name: 'Error', message: 'x' };
const command = { command: 'x', tail: '', log: null };
/** What an execution may fail with. */
export const FAILURES: Failure[] = [
  { reason: 'thrown', how: 'thrown', thrown },
  { reason: 'module-not-found', module: '/x' },
  { reason: 'module-load-failed', module: '/x', thrown },
  { reason: 'export-not-found', module: '/x', export: 'x', found: null, available: [] },
  { reason: 'command-not-found', command: 'x' },
  { reason: 'exit-non-zero', exitCode: 1, ...command },
  { reason: 'killed-by-signal', signal: 'SIGKILL', ...command },
  { reason: 'output-limit', limitMb: 1, ...command },
  { reason: 'setup-failed', exitCode: 1, ...command },
  { reason: 'invalid-result', detail: 'x' },
  { reason: 'timed-out', seconds: 1, step: null, tail: '' },
  { reason: 'out-of-memory', of: 'thread-heap', limitMb: 1 },
  { reason: 'worker-crashed', exitCode: 1, detail: 'x' },
  { reason: 'process-crashed', exitCode: null, signal: 'SIGSEGV', detail: 'x', tail: '', log: null },
  { reason: 'acceptance-failed', tests: [], tail: '', log: null },
  { reason: 'missing-output', paths: ['x'] },
  { reason: 'workspace-error', detail: 'x' },
  { reason: 'internal-error', thrown },
  { reason: 'cancelled', detail: 'x' },
];
/** Failures after which no other attempt is made. */
const LASTING = ['module-not-found', 'export-not-found', 'command-not-found', 'cancelled'];

/** What a workstream is, and how each of its attempts ends: null for completed. */
export interface Part {
  sketch: Sketch;
  ends: (Failure | null)[];
}

const end = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(...FAILURES) },
);
const scope = fc.constantFrom('a', 'a/**', 'a/b', 'a/b/*.ts', 'd', 'd/e', '../x');

/** `finished` with `~`; the number counts back from the workstream itself, and reaches forward when negative. */
const need = fc.tuple(
  fc.constantFrom('', '~'),
  fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: -2, max: 0 }) },
  ),
);

const part = fc.record({
  needs: fc.oneof(
    { weight: 2, arbitrary: fc.array(need, { maxLength: 0 }) },
    { weight: 3, arbitrary: fc.array(need, { maxLength: 4 }) },
  ),
  conflictGroup: fc.option(fc.constantFrom('g', 'h'), { freq: 2 }),
  scopes: fc.oneof(
    { weight: 2, arbitrary: fc.array(scope, { maxLength: 0 }) },
    { weight: 1, arbitrary: fc.array(scope, { maxLength: 2 }) },
  ),
  alone: fc.integer({ min: 0, max: 11 }),
  gate: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 2 }),
  priority: fc.integer({ min: -1, max: 1 }),
  isModule: fc.boolean(),
  attempts: fc.integer({ min: 1, max: 3 }),
  cooldownSeconds: fc.constantFrom(0, 1),
  ends: fc.array(end, { minLength: 3, maxLength: 3 }),
});

/**
 * @param kind `plain` ones are modules that need nothing and conflict with nothing; of `tools` every other one is for a
 * tool, which the even agents have from one maker and the odd ones from another.
 */
export const parts = (kind: 'any' | 'plain' | 'tools') =>
  fc.array(part, { minLength: 1, maxLength: kind === 'plain' ? 80 : 40, size: 'max' }).map((all): Part[] =>
    all.map((one, index) => ({
      sketch: { ...(kind === 'plain' ? {} : constraints(one, index)), ...basis(one, index, kind) },
      ends: one.ends,
    })),
  );

type PartValue = typeof part extends fc.Arbitrary<infer T> ? T : never;

const constraints = (one: PartValue, index: number): Partial<Sketch> => ({
  needs: one.needs.map(([when, back]) => `${when}ws-${index - back}`),
  conflictGroup: one.conflictGroup,
  scopes: one.scopes,
  filesScope: one.scopes,
  parallelOk: one.alone > 0,
  gate: one.gate,
});

function basis(one: PartValue, index: number, kind: string): Sketch {
  const other = kind === 'tools' ? toolStep(TOOL) : kind === 'plain' ? moduleStep('/x') : runStep('x');
  return {
    id: `ws-${index}`,
    priority: one.priority,
    steps: [one.isModule ? moduleStep('/x') : other],
    circuitBreaker: {
      maxAttempts: one.attempts,
      maxErrorRepeats: null,
      oscillationThreshold: null,
      cooldownSeconds: one.cooldownSeconds,
    },
  };
}

/** The name that steps use for it. */
const TOOL = 'helper';

/** The tools of the kind `tools`: those of even and of odd agents are used up one by one. */
export const twoMakers: NonNullable<RehearsalOptions['toolsOf']> = (agent, { steps }) =>
  steps.some(({ kind }) => kind === 'tool')
    ? { [TOOL]: customTool(['x'], { name: agent % 2 === 0 ? 'claude' : 'codex' }) }
    : {};

/** How an execution ends; that of a tool costs a dollar and fails by what is the tool's fault. */
function outcomeOf({ tools }: Assignment, failure: Failure | null, seconds: number): Outcome {
  const tool = tools[TOOL]?.name;
  if (tool === undefined) return failure === null ? completed(seconds) : failed(failure, seconds);
  const ofTool: Failure = { reason: 'tool-quota', tool, detail: 'x', tail: '', log: null };
  const report = { tool, version: null, model: null, sessionId: null, text: '', costUsd: 1 };
  const step: StepResult = {
    id: 'step-1',
    kind: 'tool',
    status: failure === null ? 'completed' : 'failed',
    durationSeconds: seconds,
    exitCode: 0,
    tail: '',
    failure: failure === null ? null : ofTool,
    tool: {
      ...report,
      tokens: NO_TOKENS,
      turns: null,
      toolCalls: null,
      limit: null,
      durationSeconds: seconds,
    },
  };
  const outcome = failure === null ? completed(seconds) : failed(ofTool, seconds);
  return { ...outcome, steps: [step] };
}

/** What happens next, as numbers that pick among what is possible then. */
export const choices = fc.array(fc.nat(), { minLength: 20, maxLength: 60 });

/** Every promise that can go on has gone on. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Course {
  rehearsal: Rehearsal;
  plan: Plan;
  /** Attempts that were started, by id. */
  started: Map<string, number>;
  /** How often outcomes arrived together, a thread died with others behind, and what a person asked for was done. */
  seen: { together: number; deaths: number; stopped: number; reopened: number };
}

interface CourseOptions extends Partial<RehearsalOptions> {
  /** Whether executions take so little time that agents get several at once. */
  tiny?: boolean;
  /** What a person asks for after each of the first ends, as numbers that pick among what is possible. */
  acts?: readonly number[];
  /** How many ends come before the run is interrupted; null for never. */
  interruptAfter?: number | null;
}

/** Runs them to the end, and checks after every step that no rule is broken. */
export async function run(
  all: readonly Part[],
  next: readonly number[],
  options: CourseOptions = {},
): Promise<Course> {
  const { tiny = false, interruptAfter = null, agents = 3, acts = [] } = options;
  const plan = makePlan(makeFolder(all.map(({ sketch }) => sketch)), new Map());
  const endsOf = new Map(all.map(({ sketch, ends }) => [sketch.id, ends]));
  const started = new Map<string, number>();
  const rehearsal: Rehearsal = new Rehearsal({
    ...options,
    plan,
    agents,
    onStart: (id) => {
      started.set(id, (started.get(id) ?? 0) + 1);
      checkMayStart(id, plan, rehearsal);
    },
  });
  rehearsal.start();
  const seen = { together: 0, deaths: 0, stopped: 0, reopened: 0 };
  const endOf = (execution: OpenExecution) => {
    const { assignment } = execution;
    const failure = endsOf.get(assignment.workstream.id)?.[assignment.attempt - 1] ?? null;
    return { execution, outcome: outcomeOf(assignment, failure, tiny ? 0.000_01 : 1) };
  };
  for (let step = 0; ; ) {
    await settled();
    if (rehearsal.over) return { rehearsal, plan, started, seen };
    checkAssigned(plan, rehearsal, options.distribution === 'round-robin');
    if (step > 10_000) throw new Error('the run does not end');
    if (step === interruptAfter) rehearsal.coordinator.interrupt({ by: 'SIGINT', detail: 'Ctrl-C' });
    actOn(rehearsal, plan, acts[step] ?? 2, seen);
    step += 1;
    const choice = next[step % next.length] ?? 0;
    const pick = <T>(from: readonly T[]): T | undefined => from[choice % from.length];
    const { engine } = rehearsal;
    const waiting = engine.open.filter(({ queued }) => queued);
    const first = pick(engine.first);
    if (waiting.length > 0 && choice % 5 === 0) pick(waiting)?.returnUnstarted();
    else if (first === undefined || (vi.getTimerCount() > 0 && choice % 4 === 0))
      vi.advanceTimersByTime(1000);
    else {
      const behind = engine.behind(first);
      const more = behind.slice(0, choice % (behind.length + 1));
      const ended = [first, ...more].map(endOf);
      // With one that ends its thread nothing behind it begins.
      const death = ended.findIndex(({ outcome }) => outcome.failure?.reason === 'worker-crashed');
      const ends = death === -1 ? ended : ended.slice(0, death + 1);
      const unstarted = behind.slice(ends.length - 1);
      if (death !== -1 && unstarted.length > 0) {
        for (const execution of unstarted) execution.returnUnstarted();
        seen.deaths += 1;
      }
      engine.endTogether(ends);
      if (ends.length > 1) seen.together += 1;
    }
  }
}

/** Stops a workstream, or opens one again, or does nothing; whatever state it is in. */
function actOn({ coordinator }: Rehearsal, { workstreams }: Plan, act: number, seen: Course['seen']): void {
  if (workstreams.length === 0) return;
  const index = Math.floor(act / 3) % workstreams.length;
  if (act % 3 === 0 && coordinator.stop(index, 'ann').startsWith('stop')) seen.stopped += 1;
  if (act % 3 !== 1) return;
  // Most have not failed: the first of those that have.
  for (let offset = 0; offset < workstreams.length; offset += 1) {
    if (coordinator.reopen((index + offset) % workstreams.length, 'ann').did !== 'reopened') continue;
    seen.reopened += 1;
    return;
  }
}

const find = (plan: Plan, id: string): Workstream => {
  const found = plan.workstreams.find((workstream) => workstream.id === id);
  if (found === undefined) throw new Error(`${id} is not in the plan`);
  return found;
};

/** Everything that it depends on has its result, and what it said of it holds; so have all earlier stages. */
function checkMayStart(id: string, plan: Plan, rehearsal: Rehearsal): void {
  const { results } = rehearsal;
  if (results.has(id)) throw new Error(`${id} was started although it has its result`);
  if (betweenAttempts(rehearsal).has(id)) return;
  for (const { id: needed, when } of find(plan, id).dependsOn) {
    const status = results.get(needed)?.status;
    if (when === 'completed' ? status !== 'completed' : status === undefined)
      throw new Error(`${id} was started while ${needed} was ${status ?? 'not ended'}`);
  }
  const stageOf = stages(plan.workstreams);
  const own = stageOf[plan.workstreams.findIndex((workstream) => workstream.id === id)] ?? 0;
  for (const [index, other] of plan.workstreams.entries()) {
    const stage = stageOf[index] ?? 0;
    if (stage > 0 && stage < own && !results.has(other.id))
      throw new Error(`${id} was started before ${other.id}, which is of an earlier stage`);
  }
}

/** Those that were begun, and are to be tried again: what they waited for may have been opened again since. */
function betweenAttempts({ events }: Rehearsal): Set<string> {
  const found = new Set<string>();
  for (const event of events) {
    if (event.type === 'workstream-retrying') found.add(event.workstreamId);
    else if (event.type === 'workstream-finished') found.delete(event.result.workstreamId);
  }
  return found;
}

/** What runs may run together, and no agent is idle that may have something. */
function checkAssigned(plan: Plan, rehearsal: Rehearsal, pinned: boolean): void {
  const assigned = rehearsal.assigned();
  const taken = new Set([...assigned.values()].flat());
  const model = new NaiveReadyQueue(plan.workstreams, rehearsal.agents, pinned);
  const waiting = waitingIds(plan, rehearsal);
  for (const [index, { id }] of plan.workstreams.entries()) {
    if (taken.has(id)) model.apply('run', index);
    else if (waiting.has(id)) model.apply('add', index);
  }
  model.checkRunning();
  if (rehearsal.coordinator.interruption !== null || rehearsal.fault !== null) return;
  expect(rehearsal.ready.size).toBe(model.size);
  // What no agent's tool can do is everybody's: whoever comes first says so.
  const mayHave = (agent: number, index: number): boolean => {
    const workstream = plan.workstreams[index];
    const isRefused = (to: number): boolean =>
      workstream !== undefined && rehearsal.runner.refusal(to, workstream) !== null;
    return !isRefused(agent) || [...Array(rehearsal.agents).keys()].every(isRefused);
  };
  for (let agent = 0; agent < rehearsal.agents; agent++) {
    if (assigned.has(`agent-${agent + 1}`)) continue;
    const index = model.choose(agent, (each) => mayHave(agent, each));
    if (index !== undefined)
      throw new Error(`agent-${agent + 1} is idle and ${plan.workstreams[index]?.id} may run`);
  }
}

/** Those that need nothing are ready from the start; of the others the events say so. */
function waitingIds(plan: Plan, rehearsal: Rehearsal): Set<string> {
  const { events, results } = rehearsal;
  const stage = stages(plan.workstreams);
  const free = plan.workstreams.filter(
    ({ dependsOn }, index) => dependsOn.length === 0 && (stage[index] ?? 0) <= 1,
  );
  const waiting = new Set(free.map(({ id }) => id));
  for (const event of events) {
    if (event.type === 'workstream-ready') waiting.add(event.workstreamId);
    else if (event.type === 'workstream-started') waiting.delete(event.workstreamId);
    else if (event.type === 'workstream-finished') waiting.delete(event.result.workstreamId);
  }
  const begun = betweenAttempts(rehearsal);
  const isMet = (index: number, { id: own, dependsOn }: Workstream): boolean =>
    begun.has(own) ||
    (dependsOn.every(({ id }) => results.has(id)) &&
      plan.workstreams.every(
        ({ id }, other) =>
          results.has(id) || (stage[other] ?? 0) === 0 || (stage[other] ?? 0) >= (stage[index] ?? 0),
      ));
  // What one waits for may have been opened again since it was ready.
  for (const [index, workstream] of plan.workstreams.entries())
    if (waiting.has(workstream.id) && !isMet(index, workstream)) waiting.delete(workstream.id);
  return waiting;
}

/** How each ends if nobody interrupts, in whatever order. */
export function expected(all: readonly Part[], plan: Plan): Map<string, string> {
  const ends = new Map<string, string>(plan.broken.map(({ id }) => [id, 'failed']));
  const byId = new Map(all.map((one) => [one.sketch.id, one]));
  const endOf = (workstream: Workstream): string => {
    const known = ends.get(workstream.id);
    if (known !== undefined) return known;
    const unmet = workstream.dependsOn.some(
      ({ id, when }) => when === 'completed' && (ends.get(id) ?? endOf(find(plan, id))) !== 'completed',
    );
    const { maxAttempts } = workstream.circuitBreaker;
    const result = unmet
      ? 'skipped'
      : endOfAttempts(byId.get(workstream.id)?.ends.slice(0, maxAttempts) ?? []);
    ends.set(workstream.id, result);
    return result;
  };
  for (const workstream of plan.workstreams) endOf(workstream);
  return ends;
}

function endOfAttempts(ends: readonly (Failure | null)[]): string {
  for (const failure of ends) {
    if (failure === null) return 'completed';
    if (LASTING.includes(failure.reason)) return 'failed';
  }
  return 'failed';
}

/** One result each, that says why. */
export function checkResults(all: readonly Part[], { plan, rehearsal, started }: Course): void {
  const { results, fault } = rehearsal;
  if (fault !== null) throw fault;
  expect([...results.keys()].toSorted()).toEqual(all.map(({ sketch }) => sketch.id).toSorted());
  for (const [id, { status, reason, explanation, failure, attempts }] of results) {
    expect(reason === null).toBe(status === 'completed');
    expect(explanation === null).toBe(reason === null);
    expect(attempts).toBeLessThanOrEqual(started.get(id) ?? 0);
    expect(failure?.reason ?? null).toBe(reason);
    if (failure?.reason !== 'dependency-failed') continue;
    const unmet = find(plan, id).dependsOn.filter(
      ({ id: needed, when }) => when === 'completed' && results.get(needed)?.status !== 'completed',
    );
    expect(unmet.map(({ id: needed }) => needed)).toContain(failure.dependency);
  }
  expect(rehearsal.leftOpen).toBe(0);
  expect(rehearsal.engine.open).toEqual([]);
}

/** What was executed has everything that it needs, whatever was stopped and opened again meanwhile. */
export function checkConsequences({ plan, rehearsal: { results } }: Course): void {
  for (const { id, dependsOn } of plan.workstreams) {
    const { status, reason } = results.get(id) ?? {};
    if (status !== 'completed' && reason !== 'thrown') continue;
    for (const { id: needed, when } of dependsOn)
      expect(results.get(needed)?.status).toSatisfy((of) => when === 'finished' || of === 'completed');
  }
}

export const statuses = ({ rehearsal }: Course): Map<string, string> =>
  new Map([...rehearsal.results].map(([id, { status }]) => [id, status]));

export const sorted = (map: Map<string, string>): string[][] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
