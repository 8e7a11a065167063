/** The number of threads changes while they work. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { EngineByIsolation } from '../../src/engine/by-isolation.ts';
import { ProcessEngine } from '../../src/engine/processes.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment, moduleStep, runStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';

const MODULE = `
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
const until = async (isSo) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5)); };
export const meets = async (count, { workspace, workstream }) => {
  writeFileSync(join(workspace, 'here-' + workstream.id), '');
  await until(() => readdirSync(workspace).filter((name) => name.startsWith('here-')).length >= count);
  return { output: 1 };
};
export const waits = async (input, { workspace, workstream }) => {
  writeFileSync(join(workspace, 'here-' + workstream.id), '');
  await until(() => existsSync(join(workspace, 'go')));
};`;

const base = mkdtempSync(join(tmpdir(), 'millrace-resize-'));
afterAll(() => rmSync(base, { recursive: true }));

function bench(agents: number, isolation: 'thread' | 'process' = 'thread', startedAtOnce = agents) {
  const folder = mkdtempSync(join(base, 'folder-'));
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const settings = engineSettings(base);
  const engine = new EngineByIsolation({
    thread: new ThreadEngine({ ...settings, agents, startedAtOnce, manyCommands: false }),
    process: new ProcessEngine(settings),
  });
  const { signal } = new AbortController();
  const start = (agent: number, step: Step): Promise<Outcome> =>
    engine.execute(
      assignment(folder, workstream(`ws-${agent}`, [step], { isolation }), { agentId: `agent-${agent}` }),
      { signal, onMessage: () => undefined },
    );
  const here = (): number => readdirSync(folder).filter((name) => name.startsWith('here-')).length;
  const go = (): void => writeFileSync(join(folder, 'go'), '');
  return { engine, start, here, go, step: (name: string, input = 0) => moduleStep(module, name, input) };
}

const statuses = async (outcomes: Promise<Outcome>[]) =>
  (await Promise.all(outcomes)).map(({ status }) => status);

test('threads that come work at once', async () => {
  const { engine, start, step } = bench(1);
  const first = start(1, step('meets', 4));
  engine.resize(4);
  const others = [2, 3, 4].map((agent) => start(agent, step('meets', 4)));
  expect(await statuses([first, ...others])).toEqual(Array(4).fill('completed'));
  await engine.close();
});

/** Linux lists the threads of a process. */
describe.runIf(process.platform === 'linux')('threads that are too many', () => {
  const threads = (): number => readdirSync('/proc/self/task').length;

  test('finish what they have before they end, and those that stay go on', async () => {
    const before = threads();
    const { engine, start, here, go, step } = bench(1);
    expect((await start(1, step('meets', 1))).status).toBe('completed');
    const withOne = threads() - before;
    engine.resize(4);
    const working = [1, 2, 3, 4].map((agent) => start(agent, step('waits')));
    await vi.waitFor(() => expect(here()).toBe(4), { timeout: 30_000 });
    expect(threads() - before).toBeGreaterThan(withOne);
    engine.resize(1);
    go();
    expect(await statuses(working)).toEqual(Array(4).fill('completed'));
    await vi.waitFor(() => expect(threads() - before).toBe(withOne), { timeout: 30_000 });
    expect((await start(1, step('meets', 1))).status).toBe('completed');
    await engine.close();
  });

  test('start when they are first given something where not all are needed at first', async () => {
    const before = threads();
    const { engine, start, step } = bench(3, 'thread', 1);
    expect((await start(1, step('meets', 1))).status).toBe('completed');
    const withOne = threads() - before;
    const meeting = [2, 3, 4].map((agent) => start(agent, step('meets', 4)));
    expect(await statuses(meeting)).toEqual(Array(3).fill('completed'));
    expect(threads() - before).toBeGreaterThan(withOne);
    await engine.close();
  });

  test('end at once where they are idle', async () => {
    const before = threads();
    const { engine, start, step } = bench(1);
    expect((await start(1, step('meets', 1))).status).toBe('completed');
    const withOne = threads() - before;
    engine.resize(3);
    const meeting = [1, 2, 3].map((agent) => start(agent, step('meets', 3)));
    expect(await statuses(meeting)).toEqual(Array(3).fill('completed'));
    engine.resize(1);
    await vi.waitFor(() => expect(threads() - before).toBe(withOne), { timeout: 30_000 });
    await engine.close();
  });
});

test.each(['thread', 'process'] as const)('says how many have child processes: %s', async (isolation) => {
  const { engine, start, here, go, step } = bench(2, isolation);
  const script = 'touch here-child; until [ -e go ]; do sleep 0.05; done';
  const working = [start(1, runStep(script)), start(2, step('waits'))];
  await vi.waitFor(() => expect([here(), engine.inChildren]).toEqual([2, 1]), { timeout: 30_000 });
  go();
  expect(await statuses(working)).toEqual(['completed', 'completed']);
  expect(engine.inChildren).toBe(0);
  await engine.close();
});
