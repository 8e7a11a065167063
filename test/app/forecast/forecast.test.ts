/** What the plan says beforehand and what the run then does, for generated folders, selections and earlier runs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecast, mayComplete } from '../../../src/app/forecast/forecast.ts';
import { MultiAgentWorkstreamCoordinator } from '../../../src/app/multi-agent-workstream-coordinator.ts';
import type { CoordinatorOptions } from '../../../src/app/options.ts';
import { parseOptions } from '../../../src/app/options.ts';
import { prepareRun } from '../../../src/app/prepare-run.ts';
import { Refusal } from '../../../src/app/refusal.ts';
import type { Forecast } from '../../../src/domain/plan.ts';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import { writeFiles } from '../../kit/command.ts';
import { query } from '../../kit/rows.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** Folders with two runs each. More with the variable MILLRACE_TEST_CASES. */
const FOLDERS = Number(process.env['MILLRACE_TEST_CASES'] ?? 25);

interface Row {
  id: string;
  status: string;
  agent: string;
  reason: string | null;
  explanation: string | null;
  /** The dependency that it was skipped for. */
  needed: string | null;
}

interface Ended {
  exitCode: number;
  errors: string[];
  rows: Row[];
}

async function run(folder: string, options: CoordinatorOptions): Promise<Ended> {
  const coordinator = new MultiAgentWorkstreamCoordinator({ cwd: folder, ...options });
  const events: RunEvent[] = [];
  coordinator.subscribe((event) => void events.push(event));
  const exitCode = await coordinator.run();
  const runId = coordinator.result?.runId ?? '';
  const errors = events.flatMap((event) =>
    event.type === 'notice' && event.level === 'error' ? [event.text] : [],
  );
  const rows =
    runId === ''
      ? []
      : query<Row>(
          folder,
          `SELECT workstream_id AS id, status, agent_id AS agent, reason, explanation,
            failure ->> 'dependency' AS needed
          FROM agent_results WHERE run_id = ?`,
          runId,
        );
  return { exitCode, errors, rows };
}

async function foretell(folder: string, options: CoordinatorOptions): Promise<Forecast | Refusal> {
  try {
    return await forecast(prepareRun(parseOptions({ cwd: folder, ...options })));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const wasExecuted = ({ agent }: Row): boolean => agent !== 'coordinator';

/** Whether it was skipped because of what another one came to in this very run. */
function followsFrom(row: Row, rows: readonly Row[]): boolean {
  if (row.reason !== 'dependency-failed') return false;
  const cause = rows.find(({ id }) => id === row.needed);
  return cause !== undefined && (cause.status === 'failed' || followsFrom(cause, rows));
}

/** Foretells a run, does it, and compares the two. */
async function compare(folder: string, options: CoordinatorOptions): Promise<void> {
  const foretold = await foretell(folder, options);
  const ended = await run(folder, options);
  if (foretold instanceof Refusal) {
    expect(ended).toEqual({ exitCode: foretold.exitCode, errors: [foretold.message], rows: [] });
    return;
  }
  const { plan, skipped, kept } = foretold;
  const rowOf = new Map(ended.rows.map((row) => [row.id, row]));
  const told = (ids: readonly { id: string }[]) => ids.map(({ id }) => rowOf.get(id));
  expect(told(skipped)).toEqual(
    skipped.map(({ id, reason, message }) => {
      const result = { id, status: 'skipped', agent: 'coordinator', reason, explanation: message };
      return expect.objectContaining(result);
    }),
  );
  for (const row of told(plan.broken)) expect(row).toMatchObject({ status: 'failed', agent: 'coordinator' });
  const unforeseen = plan.workstreams.filter(({ id }) => {
    const row = rowOf.get(id);
    return row === undefined || !(wasExecuted(row) || followsFrom(row, ended.rows));
  });
  expect(unforeseen.map(({ id }) => rowOf.get(id))).toEqual([]);
  const stays = kept === null ? 0 : kept.completed + kept.failed + kept.skipped;
  expect(ended.rows).toHaveLength(plan.workstreams.length + plan.broken.length + skipped.length + stays);
  if (!mayComplete(foretold)) expect(ended.exitCode).toBe(1);
  else if (ended.rows.every(({ status }) => status === 'completed')) expect(ended.exitCode).toBe(0);
}

const COUNT = 5;
const idOf = (index: number): string => `ws-${index}`;

const anyDefinition = fc.record({
  needs: fc.uniqueArray(fc.record({ index: fc.nat(COUNT), finished: fc.boolean() }), {
    maxLength: 2,
    selector: ({ index }) => index,
  }),
  step: fc.constantFrom('true', 'true', 'true', 'false', 'tool'),
  gate: fc.option(fc.integer({ min: 1, max: 2 })),
  title: fc.constantFrom('one', 'two'),
  isBroken: fc.nat(11).map((n) => n === 0),
});
type AnyDefinition = typeof anyDefinition extends fc.Arbitrary<infer T> ? T : never;

const anyOptions = fc.record({
  select: fc.uniqueArray(fc.constantFrom('ws-0', 'ws-1', 'ws-2', 'ws-[34]', 'ws-9'), { maxLength: 2 }),
  withDependencies: fc.boolean(),
});
const anySecond = fc.record({
  options: anyOptions,
  going: fc.constantFrom({}, {}, { retryFailed: true as const }, { resume: true as const }),
  maxCostUsd: fc.constantFrom(null, null, 0),
});

/** The n-th definition needs earlier ones, and the last index is one that no file defines. */
function definition({ needs, step, gate, title, isBroken }: AnyDefinition, index: number): object {
  const depends = needs
    .filter(({ index: other }) => other < index || other === COUNT)
    .map(({ index: other, finished }) => ({
      id: other === COUNT && index % 2 === 0 ? 'ws-nowhere' : idOf(Math.min(other, Math.max(0, index - 1))),
      when: finished ? 'finished' : 'completed',
    }))
    .filter(({ id }) => id !== idOf(index));
  const work = step === 'tool' ? { tool: 'stand-in', tasks: ['x'] } : { command: [step] };
  return {
    id: idOf(index),
    title,
    ...(isBroken ? { steps: 7 } : { steps: [work] }),
    depends_on: depends,
    ...(gate === null ? {} : { gate }),
  };
}

const write = (folder: string, definitions: readonly AnyDefinition[]): void => {
  writeFiles(folder, { 'workstreams/all.json': definitions.map(definition) });
};

const common: CoordinatorOptions = {
  agentsCount: 2,
  workspace: 'shared',
  project: { tools: { 'stand-in': { command: ['true'] } } },
};

test('a plan names what the run executes, what it skips and why, for any selection after any run', async () => {
  const definitions = fc.array(anyDefinition, { minLength: COUNT, maxLength: COUNT });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(definitions, definitions, fc.nat(COUNT)),
      anyOptions,
      fc.option(fc.nat(3)),
      anySecond,
      async ([before, after, edited], first, quitAfter, { options, going, maxCostUsd }) => {
        const folder = temporaryFolder();
        write(folder, before);
        let asked = 0;
        const ask = async (): Promise<'run' | 'quit'> => (asked++ < (quitAfter ?? 0) ? 'run' : 'quit');
        await run(folder, { ...common, ...first, ...(quitAfter === null ? {} : { ask }) });
        write(folder, [...after.slice(0, edited), ...before.slice(edited)]);
        await compare(folder, { ...common, ...options, ...going, maxCostUsd });
        rmSync(folder, { recursive: true });
      },
    ),
    { numRuns: FOLDERS },
  );
}, 600_000);

describe('a plan', () => {
  const two = [
    { id: 'ws-a', steps: [{ command: ['true'] }] },
    { id: 'ws-b', steps: [{ command: ['true'] }], depends_on: ['ws-a'] },
  ];
  const folderOf = (definitions: readonly object[]): string => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'workstreams/all.json': definitions });
    return folder;
  };
  const skippedOf = (foretold: Forecast | Refusal) =>
    foretold instanceof Refusal ? foretold : foretold.skipped.map(({ id, reason }) => ({ id, reason }));

  test('skips what needs something that is not selected, until that has completed as it is defined', async () => {
    const folder = folderOf(two);
    const only = { select: ['ws-b'] };
    const missing = [{ id: 'ws-b', reason: 'dependency-failed' }];
    expect(skippedOf(await foretell(folder, only))).toEqual(missing);
    await compare(folder, only);
    await run(folder, { select: ['ws-a'] });
    expect(skippedOf(await foretell(folder, only))).toEqual([]);
    await compare(folder, only);
    writeFiles(folder, { 'workstreams/all.json': [{ ...two[0], title: 'edited' }, two[1]] });
    expect(skippedOf(await foretell(folder, only))).toEqual(missing);
    await compare(folder, only);
  });

  test('skips what depends on a definition that can not run', async () => {
    const folder = folderOf([{ id: 'ws-a' }, two[1] ?? {}]);
    expect(skippedOf(await foretell(folder, {}))).toEqual([{ id: 'ws-b', reason: 'dependency-failed' }]);
    await compare(folder, {});
  });

  test('skips tool steps for which there is no money', async () => {
    const folder = folderOf([...two, { id: 'ws-c', tool: 'stand-in', tasks: ['x'] }]);
    const options = { ...common, maxCostUsd: 0 };
    expect(skippedOf(await foretell(folder, options))).toEqual([{ id: 'ws-c', reason: 'budget-exceeded' }]);
    await compare(folder, options);
  });

  test('of a resumed run says what is left out and what stays', async () => {
    const folder = folderOf([...two, { id: 'ws-c', steps: [{ command: ['true'] }] }]);
    let asked = 0;
    await run(folder, { agentsCount: 1, ask: async () => (asked++ === 0 ? 'run' : 'quit') });
    const foretold = await foretell(folder, { resume: true, select: ['ws-b'] });
    expect(foretold).toMatchObject({ kept: { completed: 1, failed: 0 } });
    await compare(folder, { resume: true, select: ['ws-b'] });
    await compare(folder, { resume: true });
  });

  test('of a resumed run counts what completed as met, also where its definition is broken now', async () => {
    const [first, second] = two;
    const other = { id: 'ws-c', steps: [{ command: ['true'] }] };
    const folder = folderOf([first ?? {}, other, second ?? {}]);
    let asked = 0;
    await run(folder, { agentsCount: 1, ask: async () => (asked++ < 2 ? 'run' : 'quit') });
    writeFiles(folder, { 'workstreams/all.json': [{ id: 'ws-a', steps: 7 }, other, second] });
    expect(await foretell(folder, { resume: true })).toMatchObject({
      plan: { workstreams: [{ id: 'ws-b' }] },
    });
    await compare(folder, { resume: true });
  });

  test('is refused as the run is', async () => {
    const folder = folderOf(two);
    const tool = { tool: 'nobody' };
    expect(await foretell(folder, tool)).toBeInstanceOf(Refusal);
    await compare(folder, tool);
    await compare(folder, { resume: true });
    await compare(folder, { select: ['ws-x'] });
    await compare(folder, { workstreams: join('no', 'such') });
  });
});
