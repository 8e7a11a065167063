import { describe, expect, test } from 'vitest';
import { NO_TOKENS } from '../../../src/domain/tool.ts';
import { gemini } from '../../../workers/tools/gemini.ts';
import { GARBAGE, type Replayed, recordedNames, replay, requestTo } from './recorded.ts';

const recorded = (name: string, change?: (lines: string[]) => string[]): Replayed =>
  replay(gemini, 'gemini', name, change);
const end = { exitCode: 0, signal: null, tail: 'Ripgrep is not available.', log: '/log' };

describe('command', () => {
  test('the prompt goes to standard input, and it may write without asking', () => {
    expect(gemini.command(requestTo('gemini'))).toEqual({
      file: 'gemini',
      args: [
        '-o',
        'stream-json',
        '--approval-mode',
        'yolo',
        '--skip-trust',
        '--session-id',
        '11111111-2222-4333-8444-555555555555',
      ],
      env: {},
      stdin: 'Add a test.',
    });
  });

  test('the configuration takes the place of what it gives itself', () => {
    const { settings } = requestTo('gemini');
    const args = ['--approval-mode=auto_edit', '--skip-trust', '--resume', 'latest'];
    const configured = { ...settings, args, env: { GEMINI_API_KEY: 'key' }, model: 'gemini-2.5-pro' };
    const command = gemini.command(requestTo('gemini', { settings: configured }));
    expect(command.args).toEqual(['-o', 'stream-json', '-m', 'gemini-2.5-pro', ...args]);
    expect(command.env).toEqual({ GEMINI_API_KEY: 'key' });
  });

  test.each([
    ['0.36.0', 'it has no option --session-id before 0.41.0'],
    ['0.41.0', null],
    ['0.61.0', null],
    ['a version of tomorrow', null],
  ])('version %s', (version, refusal) => {
    expect(gemini.refuses(version)).toBe(refusal);
  });
});

describe('what the real program printed', () => {
  test('success', () => {
    const { failure, findings, activities } = recorded('success');
    expect(failure).toBeNull();
    expect(findings).toEqual({
      model: 'gemini-2.5-pro',
      sessionId: 'session-2',
      text: 'The file is written.',
      tokens: { input: 200, output: 24, cacheRead: 40, cacheWrite: null, reasoning: null },
      costUsd: null,
      turns: null,
      toolCalls: 1,
    });
    expect(activities).toEqual([
      'I writ',
      'I write it.',
      'writes a.txt',
      'The file i',
      'The file is written.',
    ]);
  });

  test.each([
    ['denied-then-written', 'permission-denied', 'write_file: '],
    ['read-only', 'read-only', 'write_file: Tool "write_file" not found.'],
    ['denied', 'permission-denied', 'write_file: Tool execution denied by policy.'],
    ['outside', 'permission-denied', 'write_file: Path not in workspace'],
    ['sigterm', 'tool-interrupted', 'it ended with exit code 0 without saying how its work went'],
    ['sigint', 'tool-interrupted', 'it ended with exit code 0 without saying how its work went'],
    ['empty', 'no-model-answer', 'The model returned an empty response'],
    ['400', 'tool-not-logged-in', 'API key not valid'],
    ['401', 'tool-not-logged-in', 'Request had invalid credentials.'],
    ['403', 'tool-not-logged-in', 'The caller does not have permission.'],
    ['404', 'tool-error', '[API Error: There is no such model.]'],
    ['429', 'tool-quota', 'You exceeded your current quota.'],
    ['500', 'tool-error', 'An internal error has occurred.'],
    ['cut', 'tool-error', '[API Error: terminated]'],
    [
      'not-logged-in',
      'tool-not-logged-in',
      'you must specify the GEMINI_API_KEY environment variable. Update',
    ],
    ['turn-limit', 'tool-limit', 'Reached max session turns'],
    ['yolo-disabled', 'tool-error', 'YOLO mode is disabled by your administrator.'],
    ['unknown-option', 'tool-error', 'with exit code 1'],
  ])('%s: %s', (name, reason, words) => {
    const { failure } = recorded(name);
    if (reason === null) expect(failure).toBeNull();
    else {
      expect(failure).toMatchObject({
        reason,
        tool: 'gemini',
        detail: expect.stringContaining(words) as string,
        log: '/agent/output.log',
      });
    }
  });

  test.each(recordedNames('gemini'))('%s: a failure says so in one line', (name) => {
    const { failure } = recorded(name);
    if (failure === null || !('detail' in failure)) return expect(failure).toBeNull();
    expect(failure.detail).toMatch(/^[^\n]{1,500}$/);
  });

  test('cut before its result it is no success', () => {
    const { failure } = recorded('success', (lines) => lines.slice(0, -1));
    expect(failure).toMatchObject({ reason: 'tool-interrupted' });
  });

  test('text between its events changes nothing', () => {
    const mixed = recorded('success', (lines) =>
      lines.flatMap((line) => ['Attempt 1 failed', '{"a":', line]),
    );
    expect(mixed).toEqual(recorded('success'));
  });
});

describe('notices that end the work', () => {
  const judge = (...lines: string[]): ReturnType<ReturnType<typeof gemini.reader>['judge']> => {
    const reader = gemini.reader(requestTo('gemini'));
    const say = '{"type":"message","role":"assistant","content":"I am done.","delta":true}';
    for (const line of ['{"type":"init","session_id":"s","model":"m"}', say, ...lines]) reader.line(line);
    return reader.judge(end);
  };
  const success = '{"type":"result","status":"success","stats":{}}';

  test.each([
    ['error', 'Maximum session turns exceeded', 'tool-limit'],
    ['warning', 'Loop detected, stopping execution', 'tool-error'],
  ])('%s: %s', (severity, message, reason) => {
    const notice = JSON.stringify({ type: 'error', severity, message });
    expect(judge(notice, success)).toMatchObject({ reason, detail: message });
  });

  test('another warning does not', () => {
    const notice = '{"type":"error","severity":"warning","message":"Agent execution blocked: by a hook"}';
    expect(judge(notice, success)).toBeNull();
  });
});

test('garbage never throws and is no success', () => {
  const reader = gemini.reader(requestTo('gemini'));
  for (const line of GARBAGE) {
    reader.line(line);
    reader.activity();
  }
  expect(reader.report()).toMatchObject({
    sessionId: null,
    tokens: NO_TOKENS,
    text: '',
    toolCalls: null,
  });
  expect(reader.judge(end)).not.toBeNull();
});

test('no output at all is no success', () => {
  const reader = gemini.reader(requestTo('gemini'));
  expect(reader.judge({ ...end, tail: '' })).toMatchObject({ reason: 'tool-interrupted' });
});
