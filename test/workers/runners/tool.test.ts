/** What a tool step owes to its adapter: versions, budgets, judgement. The engine's own tests have the rest. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Assignment } from '../../../src/domain/assignment.ts';
import { Execution } from '../../../workers/execution.ts';
import { runTool } from '../../../workers/runners/tool.ts';
import { claude } from '../../../workers/tools/claude.ts';
import { loadAdapter } from '../../../workers/tools/registry.ts';
import type { ToolAdapter, ToolRequest } from '../../../workers/tools/tool.ts';
import { assignment, customTool, toolStep, workstream } from '../../kit/definitions.ts';
import { NO_SECRETS } from '../../kit/no-secrets.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

vi.mock(import('../../../workers/tools/registry.ts'), () => ({ loadAdapter: vi.fn() }));
afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllEnvs();
});

/** An agent that prints what it costs, and its version when it is asked. */
const SCRIPT = 'case "$1" in --version) echo "agent $VERSION";; *) echo "$1"; cat > seen;; esac';
const tool = customTool(['sh'], { args: [], env: { VERSION: '2.0' } });

function adapter(requests: ToolRequest[] = [], fields: Partial<ToolAdapter> = {}): ToolAdapter {
  let printed = '';
  return {
    resumes: false,
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
      concluded: () => false,
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
      limit: () => null,
      lostSession: () => false,
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
    cacheFolder: '',
    logLevel: 'info',
    redactor: NO_SECRETS,
    send: () => undefined,
  } as const;
  const execution = new Execution(
    {
      assignment: assignment(folder, definition, { workspace, tools: { agent: tool }, ...fields }),
      mark: 'a-mark',
      typeScript: [],
    },
    host,
  );
  const run = async (position = 0) => {
    const step = definition.steps[position];
    if (step?.kind !== 'tool') throw new Error('there is no such tool step');
    return runTool(step, execution, execution.signal);
  };
  return { execution, run, workspace };
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

describe('a tool that has reported its result', () => {
  const init = '{"type":"system","subtype":"init","session_id":"s"}';
  const result = (text: string): string =>
    JSON.stringify({
      type: 'result',
      subtype: 'success',
      is_error: false,
      result: text,
      total_cost_usd: 0.25,
    });
  const tasks = (count: number): string =>
    JSON.stringify({
      type: 'system',
      subtype: 'background_tasks_changed',
      tasks: Array.from({ length: count }, (_, id) => ({ task_id: String(id) })),
    });

  /** Runs a shell script that prints what Claude Code would. The lines that were read of it are in `seen`. */
  function runScript(script: string, exitGraceSeconds = 0.1) {
    const program = 'case "$*" in *--version*) echo 2.1.330; exit 0;; esac\n' + script;
    const seen: string[] = [];
    vi.mocked(loadAdapter).mockResolvedValue({
      ...claude,
      versionArguments: null,
      command: (request) => ({ ...claude.command(request), file: 'sh', args: ['-c', program] }),
      reader: (request) => {
        const reader = claude.reader(request);
        const take = reader.line.bind(reader);
        reader.line = (line) => {
          take(line);
          seen.push(line);
        };
        return reader;
      },
    });
    const settings = customTool(['sh'], { name: 'claude', adapter: 'claude', exitGraceSeconds });
    const started = start({
      tools: { agent: settings },
      limits: { timeoutSeconds: 60, graceSeconds: 0.2, maxOutputMb: 20 },
    });
    return { ...started, seen };
  }

  test.each([
    ['and does not exit', ''],
    ['with no end of line and does not exit', ''],
    ['and can only be killed', "trap '' TERM INT HUP"],
    ['and reports another one when it is ended', `trap 'echo "$FAILED"; exit 1' TERM`],
    ['and closes its output', 'exec >&- 2>&-'],
    ['and goes on printing', '(while echo Warning: still here; do sleep 0.01; done) &'],
  ])('%s is ended, and the result counts', async (how, after) => {
    const end = how.includes('no end of line') ? '' : '\\n';
    const failed = '{"type":"result","subtype":"error_during_execution","is_error":true}';
    const script = `FAILED='${failed}'; echo '${init}'; printf '%s${end}' '${result('Done.')}'; ${after}\n while :; do sleep 0.05; done`;
    const { execution, run } = runScript(script);
    const outcome = await run();
    expect(outcome).toMatchObject({ failure: null, tool: { text: 'Done.', costUsd: 0.25 } });
    expect(execution.warnings).toEqual([
      'claude had reported its result and did not exit within 0.1 s, so its processes were ended. The result counts.',
    ]);
    expect(await execution.children.endAll(0.2)).toEqual({ found: [], left: [], strays: [] });
  });

  const printing = (...lines: string[]): string =>
    `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}`;

  test.each([
    ['is woken again', [result('First.'), init]],
    ['waits for tasks in the background', [tasks(1), result('First.')]],
  ])('and %s has the time that it needs', async (_, lines) => {
    // The time that it has to exit passes when the test says so.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const end = printing(tasks(0), init, result('Second.'));
    const script = `${printing(init, ...lines)}; until [ -e go ]; do sleep 0.01; done; ${end}`;
    const { execution, run, workspace, seen } = runScript(script);
    const outcome = run();
    await expect.poll(() => seen).toEqual([init, ...lines]);
    vi.advanceTimersByTime(1_000);
    writeFileSync(join(workspace, 'go'), '');
    expect(await outcome).toMatchObject({ failure: null, tool: { text: 'Second.' } });
    expect(execution.warnings).toEqual([]);
  });

  test('and breaks off a turn that it began after it did not succeed', async () => {
    const { run } = runScript(printing(init, result('First.'), init), 60);
    expect(await run()).toMatchObject({ failure: { reason: 'tool-interrupted' } });
  });

  test('that is a failure, and does not exit, has failed', async () => {
    const failed =
      '{"type":"result","subtype":"success","is_error":true,"result":"Credit balance is too low"}';
    const { run } = runScript(`echo '${failed}'; exec sleep 1000`);
    expect(await run()).toMatchObject({ failure: { reason: 'tool-quota' } });
  });
});

test('a tool inherits nothing of the session that Millrace was started in, and all that configures it', async () => {
  const names = [
    'CLAUDECODE',
    'CLAUDE_CODE_ENTRYPOINT',
    'CLAUDE_CODE_SSE_PORT',
    'CLAUDE_CODE_USE_BEDROCK',
    'ANTHROPIC_API_KEY',
  ];
  for (const name of names) vi.stubEnv(name, 'inherited');
  const env = 'env > env.txt';
  vi.mocked(loadAdapter).mockResolvedValue(
    adapter([], {
      command: () => ({ file: 'sh', args: ['-c', env], env: { CLAUDE_CODE_SSE_PORT: '1' }, stdin: '' }),
    }),
  );
  const { run, workspace } = start({
    tools: { agent: { ...tool, env: { ...tool.env, CLAUDE_CODE_ENTRYPOINT: 'configured' } } },
  });
  await run();
  const found = readFileSync(join(workspace, 'env.txt'), 'utf8').split('\n');
  expect(found.filter((line) => names.some((name) => line.startsWith(`${name}=`))).toSorted()).toEqual([
    'ANTHROPIC_API_KEY=inherited',
    'CLAUDE_CODE_ENTRYPOINT=configured',
    'CLAUDE_CODE_SSE_PORT=1',
    'CLAUDE_CODE_USE_BEDROCK=inherited',
  ]);
});
