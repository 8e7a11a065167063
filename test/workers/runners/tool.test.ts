/** What a tool step owes to its adapter: versions, budgets, judgement. The engine's own tests have the rest. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { Assignment } from '../../../src/domain/assignment.ts';
import { Execution } from '../../../workers/execution.ts';
import { runTool } from '../../../workers/runners/tool.ts';
import { loadAdapter } from '../../../workers/tools/registry.ts';
import type { ToolAdapter, ToolRequest } from '../../../workers/tools/tool.ts';
import { assignment, customTool, toolStep, workstream } from '../../rig/definitions.ts';
import { temporaryFolder } from '../../rig/temporary-folder.ts';
import { NO_SECRETS } from '../../rig/no-secrets.ts';

vi.mock(import('../../../workers/tools/registry.ts'), () => ({ loadAdapter: vi.fn() }));
afterEach(() => vi.resetAllMocks());

/** An agent that prints what it costs, and its version when it is asked. */
const SCRIPT = 'case "$1" in --version) echo "agent $VERSION";; *) echo "$1"; cat > seen;; esac';
const tool = customTool(['sh'], { args: [], env: { VERSION: '2.0' } });

function adapter(requests: ToolRequest[] = [], fields: Partial<ToolAdapter> = {}): ToolAdapter {
  let printed = '';
  return {
    versionArguments: ['-c', SCRIPT, 'agent', '--version'],
    refuses: (version) => (version.endsWith(' 1.0') ? 'it can not read a prompt' : null),
    command: (request) => {
      requests.push(request);
      const cost = String(request.budgetUsd === null ? 0.5 : request.budgetUsd / 2);
      return { file: 'sh', args: ['-c', SCRIPT, 'agent', cost], env: {}, stdin: 'another text' };
    },
    reader: () => ({
      line: (text) => {
        printed = text;
      },
      activity: () => null,
      report: () => ({
        model: null,
        sessionId: null,
        text: printed,
        tokens: { input: 1, output: 1, cacheRead: null, cacheWrite: null, reasoning: null },
        costUsd: Number(printed),
        turns: null,
        toolCalls: null,
      }),
      judge: () => null,
    }),
    ...fields,
  };
}

function start(fields: Partial<Assignment> = {}) {
  const folder = temporaryFolder();
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace);
  const definition = workstream('ws-a', [toolStep('agent', ['one']), toolStep('agent', ['two'])]);
  const host = {
    place: 'thread',
    launcher: null,
    logLevel: 'info',
    redactor: NO_SECRETS,
    send: () => undefined,
  } as const;
  const execution = new Execution(
    {
      assignment: assignment(folder, definition, { workspace, tools: { agent: tool }, ...fields }),
      mark: 'a-mark',
      compiled: {},
    },
    host,
  );
  const run = async (position: number) => {
    const step = definition.steps[position];
    if (step?.kind !== 'tool') throw new Error('there is no such tool step');
    return runTool(step, execution, execution.signal);
  };
  return { execution, run };
}

test('a version is recorded, and one that is known not to work is refused before anything is spent', async () => {
  const requests: ToolRequest[] = [];
  vi.mocked(loadAdapter).mockResolvedValue(adapter(requests));
  expect((await start().run(0)).tool).toMatchObject({ tool: 'agent', version: 'agent 2.0' });
  const oldVersion = ['-c', 'echo "agent 1.0"'];
  vi.mocked(loadAdapter).mockResolvedValue(adapter(requests, { versionArguments: oldVersion }));
  const { failure, tool: report } = await start().run(0);
  expect(failure).toEqual({
    reason: 'tool-unsupported',
    tool: 'agent',
    version: 'agent 1.0',
    detail: 'it can not read a prompt',
  });
  expect(report).toBeNull();
  expect(requests).toHaveLength(1);
});

test('each step may spend what those before it have left', async () => {
  const requests: ToolRequest[] = [];
  vi.mocked(loadAdapter).mockResolvedValue(adapter(requests));
  const { execution, run } = start({ budgets: [{ of: 'run', limitUsd: 9, spentUsd: 1 }] });
  await run(0);
  await run(1);
  expect(requests.map(({ budgetUsd }) => budgetUsd)).toEqual([8, 4]);
  expect(execution.spentUsd).toBe(6);
  execution.spentUsd = 8;
  expect((await run(1)).failure).toEqual({
    reason: 'budget-exceeded',
    of: 'run',
    limitUsd: 9,
    spentUsd: 9,
  });
});

test('each step has a session, a scratch folder and a prompt of its own', async () => {
  const requests: ToolRequest[] = [];
  vi.mocked(loadAdapter).mockResolvedValue(adapter(requests));
  const { run } = start();
  await run(0);
  await run(1);
  expect(new Set(requests.map(({ sessionId }) => sessionId)).size).toBe(2);
  expect(requests.map(({ scratch }) => scratch.split('/').slice(-2))).toEqual([
    ['ws-a.tool', 'step-1'],
    ['ws-a.tool', 'step-2'],
  ]);
  expect(requests.map(({ prompt }) => /1\. (.*)/.exec(prompt)?.[1])).toEqual(['one', 'two']);
});

test('an error of the adapter is not taken for one of the tool', async () => {
  const broken = adapter();
  const reader: ToolAdapter['reader'] = (request) => ({
    ...broken.reader(request),
    line: () => {
      throw new TypeError('no such field');
    },
  });
  vi.mocked(loadAdapter).mockResolvedValue({ ...broken, reader });
  await expect(start().run(0)).rejects.toThrow('no such field');
});
