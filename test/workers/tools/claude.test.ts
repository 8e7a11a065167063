import { describe, expect, test } from 'vitest';
import { failureSchema } from '../../../src/domain/failure.ts';
import { toolReportSchema } from '../../../src/domain/tool-report.ts';
import { claude } from '../../../workers/tools/claude.ts';
import { read, recordings, replay, request } from './replay.ts';

const asked = request('claude');
const ok = { exitCode: 0, signal: null };
const result = (fields: object): string =>
  JSON.stringify({ type: 'result', subtype: 'success', is_error: false, result: 'Done.', ...fields });

describe('the command', () => {
  test('is told everything that it can be told, the prompt on its standard input', () => {
    const told = { ...request('claude', { model: 'opus', env: { A: 'b' } }), budgetUsd: 0.5 };
    expect(claude.command(told)).toEqual({
      file: 'claude',
      args: [
        '-p',
        '--output-format',
        'stream-json',
        '--verbose',
        '--permission-mode',
        'acceptEdits',
        '--session-id',
        '11111111-2222-4333-8444-555555555555',
        '--max-budget-usd',
        '0.5',
        '--model',
        'opus',
      ],
      env: { A: 'b' },
      stdin: 'Add a test.',
    });
  });

  test('has the arguments of the configuration last, so that they win', () => {
    const { args } = claude.command(request('claude', { args: ['--permission-mode', 'plan'] }));
    expect(args.slice(-2)).toEqual(['--permission-mode', 'plan']);
  });

  test('names no session where the configuration continues one', () => {
    const { args } = claude.command(request('claude', { args: ['--resume', 'x'] }));
    expect(args).not.toContain('--session-id');
  });
});

describe('recordings', () => {
  test.each([
    ['success', null],
    ['skip-permissions', null],
    ['denied', 'permission-denied'],
    ['denied-by-mode', 'permission-denied'],
    ['denied-command', 'permission-denied'],
    ['empty', 'no-model-answer'],
    ['sigint', 'tool-interrupted'],
    ['sigterm', 'tool-interrupted'],
    ['500', 'tool-error'],
    ['404', 'tool-error'],
    ['cut', 'tool-error'],
    ['unknown-option', 'tool-error'],
    ['401', 'tool-not-logged-in'],
    ['403', 'tool-not-logged-in'],
    ['not-logged-in', 'tool-not-logged-in'],
    ['429', 'tool-quota'],
    ['no-credit', 'tool-quota'],
    ['turn-limit', 'tool-limit'],
    ['cost-limit', 'tool-limit'],
  ])('%s: %s', (name, reason) => {
    const { reader, end } = replay(claude, `claude-${name}`, asked);
    const failure = reader.judge(end);
    expect(failure?.reason ?? null).toBe(reason);
    if (failure !== null) {
      expect(failureSchema.parse(failure)).toMatchObject({ tool: 'claude', log: '/agent/output.log' });
      expect(failure).toHaveProperty('detail', expect.stringMatching(/^[^\n]{1,500}$/));
    }
    const report = { ...reader.report(), tool: 'claude', version: null, durationSeconds: 1, limit: null };
    expect(toolReportSchema.parse(report)).toEqual(report);
  });

  test('every one is judged above', () => {
    expect(Object.keys(recordings).filter((name) => name.startsWith('claude-'))).toHaveLength(19);
  });

  test('success: what it says of its work', () => {
    const { reader, activities } = replay(claude, 'claude-success', asked);
    expect(activities).toEqual(['I write the file.', 'writes a.txt', 'The file is written.']);
    expect(reader.report()).toMatchObject({
      model: 'scripted-model',
      sessionId: '00000000-0000-4000-8000-000000000001',
      text: 'The file is written.',
      tokens: { input: 260, output: 24, cacheRead: 40, cacheWrite: 20, reasoning: 0 },
      turns: 2,
      toolCalls: 1,
    });
  });

  test('denied: what it was not permitted to do', () => {
    const { reader, end } = replay(claude, 'claude-denied', asked);
    expect(reader.judge(end)).toMatchObject({
      denied: ['Write /agent/outside.txt'],
      detail: 'I was not permitted.',
    });
  });

  test('cost-limit: tokens are known although `usage` says zero', () => {
    const { reader } = replay(claude, 'claude-cost-limit', asked);
    expect(reader.report().tokens).toMatchObject({ input: 130, output: 12 });
  });

  test('a stream that breaks off at any line is no success', () => {
    for (const lines of [0, 1, 2, 3, 4]) {
      const { reader, end } = replay(claude, 'claude-success', asked, lines);
      expect(reader.judge(end)?.reason).toBe('tool-interrupted');
    }
  });
});

describe('judgement', () => {
  test('without any output: interrupted with 0 or by a signal, an error otherwise', () => {
    const reason = (exitCode: number | null, signal: string | null = null): string | undefined => {
      const { reader, end } = read(claude, '', { exitCode, signal }, asked);
      return reader.judge(end)?.reason;
    };
    expect(reason(0)).toBe('tool-interrupted');
    expect(reason(null, 'SIGKILL')).toBe('tool-interrupted');
    expect(reason(143)).toBe('tool-interrupted');
    expect(reason(1)).toBe('tool-error');
  });

  test('an exit code after success is an error that names it', () => {
    const { reader, end } = read(claude, result({}), { exitCode: 3, signal: null }, asked);
    expect(reader.judge(end)).toMatchObject({ reason: 'tool-error', detail: expect.stringContaining('3') });
  });

  test('a signal after success: it had done its work', () => {
    const { reader, end } = read(claude, result({}), { exitCode: null, signal: 'SIGKILL' }, asked);
    expect(reader.judge(end)).toBeNull();
  });

  test.each([
    [{ subtype: 'success' }, null],
    [{ is_error: false }, null],
    [{ subtype: 'success', is_error: false }, null],
    [{}, 'tool-error'],
    [{ subtype: 'success', is_error: 'yes' }, 'tool-error'],
    [{ subtype: 'success', is_error: null }, 'tool-error'],
    [{ subtype: 'cancelled', is_error: false }, 'tool-error'],
    [{ subtype: 7, is_error: false }, 'tool-error'],
    [{ subtype: 'error_max_turns', is_error: false }, 'tool-limit'],
  ])('a result of %j: %s', (fields, reason) => {
    const text = JSON.stringify({ type: 'result', result: 'Done.', ...fields });
    const { reader, end } = read(claude, text, ok, asked);
    expect(reader.judge(end)?.reason ?? null).toBe(reason);
  });

  test('of two results the last one counts', () => {
    const failed = result({ subtype: 'error_during_execution', is_error: true });
    for (const [lines, reason] of [
      [[result({}), failed], 'tool-error'],
      [[failed, result({})], null],
    ] as const) {
      const { reader, end } = read(claude, lines.join('\n'), ok, asked);
      expect(reader.judge(end)?.reason ?? null).toBe(reason);
    }
  });

  test('an interrupted tool call', () => {
    const text = result({ subtype: 'error_during_execution', terminal_reason: 'aborted_tools' });
    const { reader, end } = read(claude, text, ok, asked);
    expect(reader.judge(end)?.reason).toBe('tool-interrupted');
  });

  test('work without a last word is work', () => {
    const use = { type: 'assistant', message: { content: [{ type: 'tool_use', id: 'a', name: 'Edit' }] } };
    const { reader, end } = read(claude, `${JSON.stringify(use)}\n${result({ result: '' })}`, ok, asked);
    expect(reader.judge(end)).toBeNull();
  });

  test('an error of the model that was got over is none', () => {
    const error = { type: 'assistant', error: 'rate_limit', message: { model: '<synthetic>', content: [] } };
    const answer = { type: 'assistant', message: { model: 'm', content: [{ type: 'text', text: 'Done.' }] } };
    const lines = [JSON.stringify(error), JSON.stringify(answer), result({})];
    const { reader, end } = read(claude, lines.join('\n'), ok, asked);
    expect(reader.judge(end)).toBeNull();
  });

  test('a denial of an earlier result counts, and once', () => {
    const denied = { tool_name: 'Bash', tool_use_id: 'a', tool_input: { command: 'rm x' } };
    const text = [
      result({ permission_denials: [denied] }),
      result({ permission_denials: [denied] }),
      result({}),
    ];
    const { reader, end } = read(claude, text.join('\n'), ok, asked);
    expect(reader.judge(end)).toMatchObject({ reason: 'permission-denied', denied: ['Bash rm x'] });
  });
});

test('the words of a subagent are not the answer', () => {
  const says = (text: string, parent: string | null): string =>
    JSON.stringify({
      type: 'assistant',
      parent_tool_use_id: parent,
      message: { content: [{ type: 'text', text }] },
    });
  const { reader } = read(claude, `${says('mine', null)}\n${says('its', 'toolu_1')}`, ok, asked);
  expect(reader.report().text).toBe('mine');
});

test('before there is a result, nothing is known of tokens, cost and turns', () => {
  const { reader } = replay(claude, 'claude-success', asked, 3);
  const unknown = { input: null, output: null, cacheRead: null, cacheWrite: null, reasoning: null };
  expect(reader.report()).toMatchObject({ tokens: unknown, costUsd: null, turns: null, toolCalls: 1 });
});

test.each([
  ['0.2.100 (Claude Code)', true],
  ['1.0.50 (Claude Code)', true],
  ['1.0.55 (Claude Code)', false],
  ['2.1.330 (Claude Code)', false],
  ['something else', false],
])('version %s is refused: %s', (version, refused) => {
  expect(claude.refuses(version) !== null).toBe(refused);
});
