/** Runs whose number of agents follows a load that the test makes up. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/app/options.ts';
import { prepareRun } from '../../src/app/prepare-run.ts';
import { RunSession } from '../../src/app/run-session.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import type { Load } from '../../src/domain/scaling.ts';
import { writeFiles } from '../kit/command.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = `
import { existsSync } from 'node:fs';
import { join } from 'node:path';
export default async (input, { workspace, workstream }) => {
  while (!existsSync(join(workspace, 'go-' + workstream.id))) await new Promise((resolve) => setTimeout(resolve, 5));
};`;

const IDLE: Load = {
  seconds: 0.25,
  cores: 1,
  cpu: 0,
  cpuWait: 0,
  totalCpu: 0,
  throttled: null,
  coordinator: 0,
  memory: { limit: 8e9, available: 6e9, own: 1e8 },
};
const SHORT: Load = { ...IDLE, memory: { limit: 8e9, available: 1e8, own: 7e9 } };

/** A run on a machine of one core, with workstreams that wait for `go`. */
function follow(count: number) {
  const folder = temporaryFolder();
  const ids = Array.from({ length: count }, (_, index) => `ws-${index + 1}`);
  writeFiles(folder, {
    'workstreams/all.json': ids.map((id) => ({ id, steps: [{ module: './waits.mjs' }] })),
    'workstreams/waits.mjs': MODULE,
  });
  const events: RunEvent[] = [];
  let tell: ((load: Load) => void) | null = null;
  const session = new RunSession({
    ...prepareRun(parseOptions({ cwd: folder, agentsCount: 'auto', maxAgents: 4 })),
    redactor: NO_SECRETS,
    listeners: [(event) => void events.push(event)],
    load: {
      cores: 1,
      watch: (listener) => {
        tell = listener;
        return () => {
          tell = null;
        };
      },
    },
  });
  const inHand = (): Map<string, string> => {
    const hands = new Map<string, string>();
    for (const event of events) {
      if (event.type === 'workstream-started') hands.set(event.workstreamId, event.agentId);
      if (event.type === 'workstream-finished') hands.delete(event.result.workstreamId);
    }
    return hands;
  };
  const waitFor = (isSo: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 30_000 });
  return {
    folder,
    session,
    events,
    inHand,
    waitFor,
    /** The same is measured this often. */
    measure: (times: number, load: Load) => {
      for (let time = 0; time < times; time += 1) tell?.(load);
    },
    isWatched: () => tell !== null,
    changes: () => events.flatMap((event) => (event.type === 'agents-scaled' ? [event.change] : [])),
    go: (...which: string[]) => {
      for (const id of which) writeFileSync(join(folder, `go-${id}`), '');
    },
    ids,
  };
}

test('agents come where they wait, leave where memory is short, and none loses what it has in hand', async () => {
  const { folder, session, inHand, waitFor, measure, changes, go, ids, isWatched } = follow(6);
  const run = session.run();
  await waitFor(() => inHand().size === 1);
  measure(2, IDLE);
  await waitFor(() => inHand().size === 2);
  measure(2, IDLE);
  await waitFor(() => inHand().size === 4);
  expect([...inHand().values()].toSorted()).toEqual(['agent-1', 'agent-2', 'agent-3', 'agent-4']);
  measure(20, IDLE);
  expect(changes().map(({ to }) => to)).toEqual([1, 2, 4]);

  measure(1, SHORT);
  await waitFor(() => changes().length === 4);
  measure(20, SHORT);
  expect(changes().at(-1)).toMatchObject({ from: 4, to: 2, reason: 'memory' });
  expect(inHand().size).toBe(4);
  const leaving = [...inHand()].filter(([, agent]) => agent === 'agent-3' || agent === 'agent-4');
  go(...leaving.map(([id]) => id));
  await waitFor(() => inHand().size === 2);
  expect([...inHand().values()].toSorted()).toEqual(['agent-1', 'agent-2']);
  go(...ids);
  const { exitCode, consolidated, reportPath } = await run;
  expect(exitCode).toBe(0);
  expect(isWatched()).toBe(false);

  expect(consolidated.run.executionSummary).toMatchObject({
    agentsCount: 4,
    scaling: { start: 1, final: 2, least: 1, most: 4, changes: 3 },
  });
  expect(consolidated.agents.map(({ agentId }) => agentId)).toEqual([
    'agent-1',
    'agent-2',
    'agent-3',
    'agent-4',
  ]);
  expect(query(folder, 'SELECT from_count, to_count, reason FROM agent_counts ORDER BY id')).toEqual([
    { from_count: null, to_count: 1, reason: 'start' },
    { from_count: 1, to_count: 2, reason: 'waiting' },
    { from_count: 2, to_count: 4, reason: 'waiting' },
    { from_count: 4, to_count: 2, reason: 'memory' },
  ]);
  expect(readFileSync(reportPath ?? '', 'utf8')).toContain('100 MB of 8000 MB of memory were left');
});

test('a resumed run follows the load as before', async () => {
  const { folder, session, inHand, waitFor, measure, go, ids } = follow(4);
  const run = session.run();
  await waitFor(() => inHand().size === 1);
  measure(2, IDLE);
  await waitFor(() => inHand().size === 2);
  session.interrupt('SIGINT');
  measure(2, IDLE);
  expect((await run).exitCode).toBe(130);
  go(...ids);
  const again = new RunSession({
    ...prepareRun(parseOptions({ cwd: folder, resume: true })),
    redactor: NO_SECRETS,
    listeners: [],
    load: { cores: 3, watch: () => () => undefined },
  });
  const { exitCode, consolidated } = await again.run();
  expect(exitCode).toBe(0);
  expect(consolidated.scaling.shown.map(({ from, to }) => [from, to])).toEqual([
    [null, 1],
    [1, 2],
    [null, 3],
  ]);
  expect(consolidated.run.executionSummary?.scaling).toMatchObject({ start: 3, final: 3, changes: 1 });
});
