import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureSchema } from '../../../src/domain/failure.ts';
import { toolReportSchema } from '../../../src/domain/tool-report.ts';
import { codex } from '../../../workers/tools/codex.ts';
import type { ToolRequest } from '../../../workers/tools/tool.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { read, recorded, recordings, replay, request } from './replay.ts';

const ok = { exitCode: 0, signal: null };

/** A request whose home has no sessions, or that of a recording, where Codex would have kept it. */
function asked(args: string[] = [], session: { name: string; day: string } | null = null): ToolRequest {
  const home = temporaryFolder();
  if (session !== null) {
    const day = join(home, 'sessions', session.day);
    mkdirSync(day, { recursive: true });
    const thread = /"thread_id":"([^"]+)"/.exec(recorded(`${session.name}.jsonl`))?.[1] ?? '';
    const name = `rollout-2026-01-01T00-00-00-${thread}.jsonl`;
    writeFileSync(join(day, name), recorded(`${session.name}.session.jsonl`));
  }
  return request('codex', { args, env: { CODEX_HOME: home } });
}

describe('the command', () => {
  test('is told everything that it can be told, the prompt on its standard input', () => {
    expect(codex.command(request('codex', { model: 'gpt', env: { A: 'b' }, args: ['--search'] }))).toEqual({
      file: 'codex',
      args: [
        'exec',
        '--json',
        '-s',
        'workspace-write',
        '--skip-git-repo-check',
        '-C',
        '/agent/work',
        '-o',
        '/agent/scratch/last-message.txt',
        '-m',
        'gpt',
        '--search',
        '-',
      ],
      env: { A: 'b' },
      stdin: 'Add a test.',
    });
  });

  test.each([
    [['-s', 'read-only']],
    [['-sread-only']],
    [['--sandbox', 'read-only']],
    [['--sandbox=read-only']],
    [['--dangerously-bypass-approvals-and-sandbox']],
    [['-c', 'sandbox_mode="read-only"']],
    [['--config=sandbox_mode="read-only"']],
  ])('leaves the sandbox to %j', (args) => {
    expect(codex.command(request('codex', { args })).args).not.toContain('workspace-write');
  });

  test('gives no option twice, which Codex refuses', () => {
    const args = ['-m', 'o', '-C', '/x', '-o', 'y', '--skip-git-repo-check'];
    const command = codex.command(request('codex', { model: 'gpt', args }));
    expect(command.args).toEqual(['exec', '--json', '-s', 'workspace-write', ...args, '-']);
  });
});

describe('recordings', () => {
  test.each([
    ['success', null],
    ['failed-command', null],
    ['read-only-review', null],
    ['read-only', 'read-only'],
    ['read-only-config', 'read-only'],
    ['read-only-patch', 'read-only'],
    ['outside', 'permission-denied'],
    ['empty', 'no-model-answer'],
    ['sigint', 'tool-interrupted'],
    ['sigterm', 'tool-interrupted'],
    ['500', 'tool-error'],
    ['404', 'tool-error'],
    ['cut', 'tool-error'],
    ['unknown-option', 'tool-error'],
    ['401', 'tool-not-logged-in'],
    ['403', 'tool-not-logged-in'],
    ['no-key', 'tool-not-logged-in'],
    ['429', 'tool-quota'],
    ['quota', 'tool-quota'],
    ['usage-limit', 'tool-quota'],
  ])('%s: %s', (name, reason) => {
    const session = name.startsWith('read-only') ? { name: `codex-${name}`, day: '2026/01/01' } : null;
    const { reader, end } = replay(codex, `codex-${name}`, asked([], session));
    const failure = reader.judge(end);
    expect(failure?.reason ?? null).toBe(reason);
    if (failure !== null) {
      expect(failureSchema.parse(failure)).toMatchObject({ tool: 'codex', log: '/agent/output.log' });
      expect(failure).toHaveProperty('detail', expect.stringMatching(/^[^\n]{1,500}$/));
    }
    const report = { ...reader.report(), tool: 'codex', version: null, durationSeconds: 1, limit: null };
    expect(toolReportSchema.parse(report)).toEqual(report);
  });

  test('every one is judged above', () => {
    expect(Object.keys(recordings).filter((name) => name.startsWith('codex-'))).toHaveLength(20);
  });

  test('success: what it says of its work', () => {
    const { reader, activities } = replay(codex, 'codex-success', asked());
    expect(activities).toContain('runs echo written > a.txt');
    expect(activities).toContain('writes b.txt');
    expect(reader.report()).toMatchObject({
      text: 'Both are written.',
      tokens: { input: 300, output: 36, cacheRead: 60, cacheWrite: 0, reasoning: 12 },
      costUsd: null,
      turns: 1,
      toolCalls: 2,
    });
  });

  test('a stream that breaks off at any line is no success', () => {
    const whole = recorded('codex-success.jsonl').trimEnd().split('\n').length;
    for (let lines = 0; lines < whole; lines += 1) {
      const { reader, end } = replay(codex, 'codex-success', asked(), lines);
      expect(reader.judge(end)?.reason).toBe('tool-interrupted');
    }
  });
});

describe('the sandbox', () => {
  test('a command that it stopped is in no event, and is found in the session file', () => {
    expect(recorded('codex-read-only.jsonl')).not.toContain('a.txt');
    const session = { name: 'codex-read-only', day: '2026/01/01' };
    const { reader, end } = replay(codex, 'codex-read-only', asked([], session));
    expect(reader.judge(end)).toMatchObject({
      reason: 'read-only',
      detail: '/bin/bash: line 1: a.txt: Read-only file system',
    });
  });

  test('the session is found beside newer days, and is another than those of other threads', () => {
    const request = asked([], { name: 'codex-read-only', day: '2025/12/31' });
    const sessions = join(request.settings.env['CODEX_HOME'] ?? '', 'sessions');
    for (const day of ['2026/01/01', '2026/01/02']) {
      mkdirSync(join(sessions, day), { recursive: true });
      writeFileSync(join(sessions, day, 'rollout-2026-01-02T00-00-00-other.jsonl'), '{}');
    }
    const { reader, end } = replay(codex, 'codex-read-only', request);
    expect(reader.judge(end)?.reason).toBe('read-only');
  });

  test('without a session file, the output of a command tells it where the arguments name the sandbox', () => {
    const item = {
      id: 'item_1',
      type: 'command_execution',
      command: "/bin/bash -lc 'echo hi > a.txt || true'",
      aggregated_output: '/bin/bash: line 1: a.txt: Read-only file system\n',
    };
    const lines = [
      { type: 'thread.started', thread_id: 'x' },
      { type: 'item.completed', item },
    ];
    const text = [...lines, { type: 'turn.completed', usage: {} }]
      .map((line) => JSON.stringify(line))
      .join('\n');
    const reason = (args: string[]): string | undefined => {
      const { reader, end } = read(codex, text, ok, asked(args));
      return reader.judge(end)?.reason;
    };
    expect(reason(['-s', 'read-only'])).toBe('read-only');
    // In the default sandbox it may have tried another folder, as build tools do.
    expect(reason([])).toBeUndefined();
  });
});

describe('judgement', () => {
  const lines = (...events: object[]): string => events.map((event) => JSON.stringify(event)).join('\n');
  const started = { type: 'thread.started', thread_id: 'x' };
  const message = { type: 'item.completed', item: { id: 'a', type: 'agent_message', text: 'Done.' } };
  const completed = { type: 'turn.completed', usage: { input_tokens: 1, output_tokens: 1 } };

  test('a warning and an error that was got over are no failure', () => {
    const warning = { type: 'item.completed', item: { id: 'w', type: 'error', message: 'a warning' } };
    const again = { type: 'error', message: 'Reconnecting... 1/5 (429)' };
    const { reader, end } = read(codex, lines(started, warning, again, message, completed), ok, asked());
    expect(reader.judge(end)).toBeNull();
    expect(reader.report().toolCalls).toBe(0);
  });

  test('a warning alone is no answer', () => {
    const warning = { type: 'item.completed', item: { id: 'w', type: 'error', message: 'a warning' } };
    const { reader, end } = read(codex, lines(started, warning, completed), ok, asked());
    expect(reader.judge(end)?.reason).toBe('no-model-answer');
  });

  test('an error without a failed turn is the failure', () => {
    const text = lines(started, { type: 'error', message: "You've hit your usage limit." });
    const { reader, end } = read(codex, text, { exitCode: 1, signal: null }, asked());
    expect(reader.judge(end)).toMatchObject({ reason: 'tool-quota', detail: "You've hit your usage limit." });
  });

  test('a second turn that was not ended is an interruption', () => {
    const text = lines(started, message, completed, { type: 'turn.started' });
    const { reader, end } = read(codex, text, ok, asked());
    expect(reader.judge(end)?.reason).toBe('tool-interrupted');
  });

  test('an exit code after success is an error that names it; a signal is none', () => {
    const text = lines(started, message, completed);
    const failed = read(codex, text, { exitCode: 3, signal: null }, asked());
    expect(failed.reader.judge(failed.end)).toMatchObject({
      reason: 'tool-error',
      detail: 'it ended with exit code 3 after its last turn',
    });
    const killed = read(codex, text, { exitCode: null, signal: 'SIGKILL' }, asked());
    expect(killed.reader.judge(killed.end)).toBeNull();
  });
});

test.each([
  ['codex-cli 0.42.0', true],
  ['codex-cli 0.44.0', false],
  ['codex-cli 0.169.0', false],
  ['something else', false],
])('version %s is refused: %s', (version, refused) => {
  expect(codex.refuses(version) !== null).toBe(refused);
});
