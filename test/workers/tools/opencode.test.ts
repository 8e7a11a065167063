import { describe, expect, test } from 'vitest';
import { NO_TOKENS } from '../../../src/domain/tool.ts';
import { opencode } from '../../../workers/tools/opencode.ts';
import { GARBAGE, type Replayed, recordedNames, replay, requestTo } from './recorded.ts';

const recorded = (name: string, change?: (lines: string[]) => string[]): Replayed =>
  replay(opencode, 'opencode', name, change);
const end = { exitCode: 0, signal: null, tail: '', log: '/log' };

describe('command', () => {
  test('the prompt goes to standard input, and its questions are answered with yes', () => {
    const { settings } = requestTo('opencode');
    const configured = { ...settings, model: 'vendor/model', args: ['--variant', 'high'] };
    expect(opencode.command(requestTo('opencode', { settings: configured }))).toEqual({
      file: 'opencode',
      args: [
        'run',
        '--format',
        'json',
        '--auto',
        '--dir',
        '/agent/work',
        '-m',
        'vendor/model',
        '--variant',
        'high',
      ],
      env: {},
      stdin: 'Add a test.',
    });
  });

  test('the configuration takes the place of what it gives itself', () => {
    const { settings } = requestTo('opencode');
    const args = ['--no-auto', '--attach', 'http://127.0.0.1:4096', '--model=vendor/other'];
    const configured = { ...settings, model: 'vendor/model', args };
    const request = requestTo('opencode', { settings: configured });
    expect(opencode.command(request).args).toEqual(['run', '--format', 'json', ...args]);
    expect(opencode.reader(request).report().model).toBe('vendor/other');
  });

  test.each([
    ['1.17.11', 'it has no option --auto up to version 1.17.11'],
    ['1.17.18', null],
    ['1.18.33', null],
    ['a version of tomorrow', null],
  ])('version %s', (version, refusal) => {
    expect(opencode.refuses(version)).toBe(refusal);
  });
});

describe('what the real program printed', () => {
  test('success', () => {
    const { failure, findings, activities } = recorded('success');
    expect(failure).toBeNull();
    expect(findings).toEqual({
      model: null,
      sessionId: 'ses_1',
      text: 'The file is written.',
      tokens: { input: 200, output: 24, cacheRead: 40, cacheWrite: 0, reasoning: 8 },
      costUsd: expect.closeTo(0.000228, 9) as number,
      turns: 2,
      toolCalls: 1,
    });
    expect(activities).toEqual(['I write it.', 'wrote a.txt', 'The file is written.']);
  });

  test.each([
    ['outside', null, ''],
    ['429-then-answer', null, ''],
    ['500-then-answer', null, ''],
    ['cut-then-answer', null, ''],
    ['cut-in-step-then-answer', null, ''],
    ['rejected', 'permission-denied', 'The user rejected permission'],
    ['denied', 'permission-denied', 'The user has specified a rule'],
    ['read-only', 'read-only', "unavailable tool 'write'"],
    ['sigterm', 'tool-interrupted', 'it ended by SIGTERM'],
    ['sigint', 'tool-interrupted', 'it ended by SIGINT'],
    ['empty', 'no-model-answer', 'it gave no message'],
    ['400', 'tool-error', 'APIError: There is something wrong with the request.'],
    ['401', 'tool-not-logged-in', 'APIError: Invalid credentials.'],
    ['402', 'tool-quota', 'APIError: Nothing is left.'],
    ['403', 'tool-not-logged-in', 'APIError: The account may not do that.'],
    ['no-model', 'tool-error', 'UnknownError: Unexpected server error.'],
    ['unknown-option', 'tool-error', 'with exit code 1'],
  ])('%s: %s', (name, reason, words) => {
    const { failure } = recorded(name);
    if (reason === null) expect(failure).toBeNull();
    else {
      expect(failure).toMatchObject({
        reason,
        tool: 'opencode',
        detail: expect.stringContaining(words) as string,
        log: '/agent/output.log',
      });
    }
  });

  test.each(recordedNames('opencode'))('%s: a failure says so in one line', (name) => {
    const { failure } = recorded(name);
    if (failure === null || !('detail' in failure)) return expect(failure).toBeNull();
    expect(failure.detail).toMatch(/^[^\n]{1,500}$/);
  });

  test('cut at any line before its last step it is no success', () => {
    const lines = 6;
    for (let kept = 0; kept <= lines; kept += 1) {
      expect(recorded('success', (all) => all.slice(0, kept)).failure, `${kept} lines`).toMatchObject({
        reason: 'tool-interrupted',
      });
    }
  });

  test('text between its events changes nothing', () => {
    const mixed = recorded('success', (lines) =>
      lines.flatMap((line) => ['Attempt 1 failed', '{"a":', line]),
    );
    expect(mixed).toEqual(recorded('success'));
  });
});

describe('a denial', () => {
  const use = (tool: string, state: Record<string, unknown>): string =>
    JSON.stringify({ type: 'tool_use', sessionID: 's', part: { tool, state } });
  const finish = '{"type":"step_finish","sessionID":"s","part":{"reason":"stop"}}';
  const denied = use('bash', {
    status: 'error',
    input: { command: 'git push' },
    error: 'The user has specified a rule which prevents you from using this specific tool call.',
  });

  test('counts', () => {
    const reader = opencode.reader(requestTo('opencode'));
    for (const line of [denied, use('read', { status: 'completed' }), finish]) reader.line(line);
    expect(reader.judge(end)).toMatchObject({
      reason: 'permission-denied',
      denied: [expect.stringContaining('bash git push')],
    });
  });

  test('counts whatever was changed after it: acceptance decides whether it was needed', () => {
    const reader = opencode.reader(requestTo('opencode'));
    for (const line of [denied, use('edit', { status: 'completed' }), finish]) reader.line(line);
    expect(reader.judge(end)).toMatchObject({ reason: 'permission-denied' });
  });

  test('is none where a tool was not there and another one changed files', () => {
    const reader = opencode.reader(requestTo('opencode'));
    const absent = use('invalid', { status: 'completed', input: { tool: 'write', error: 'no such tool' } });
    for (const line of [absent, use('edit', { status: 'completed' }), finish]) reader.line(line);
    expect(reader.judge(end)).toBeNull();
  });
});

describe('a step without an end', () => {
  const start = '{"type":"step_start","sessionID":"s","part":{}}';
  const text = '{"type":"text","sessionID":"s","part":{"text":"Done."}}';
  const finish = '{"type":"step_finish","sessionID":"s","part":{"reason":"stop","cost":0.5}}';
  const read = (...lines: string[]) => {
    const reader = opencode.reader(requestTo('opencode'));
    for (const line of lines) reader.line(line);
    return reader;
  };

  test('was cut, and the model was asked again: the next one takes its place', () => {
    const reader = read(start, start, start, text, finish);
    expect(reader.judge(end)).toBeNull();
    expect(reader.report()).toMatchObject({ text: 'Done.', turns: 1, costUsd: 0.5 });
    expect(reader.concluded()).toBe(true);
  });

  test('is an interruption where nothing comes after it', () => {
    const reader = read(start, text, finish, start);
    expect(reader.judge(end)).toMatchObject({ reason: 'tool-interrupted' });
    expect(reader.concluded()).toBe(false);
  });
});

test.each(['length', 'content-filter', 'error'])('an answer that ended with %s is not whole', (reason) => {
  const reader = opencode.reader(requestTo('opencode'));
  reader.line('{"type":"text","sessionID":"s","part":{"text":"It is"}}');
  reader.line(JSON.stringify({ type: 'step_finish', sessionID: 's', part: { reason } }));
  expect(reader.judge(end)).toMatchObject({ reason: 'tool-error' });
});

test('garbage never throws and is no success', () => {
  const reader = opencode.reader(requestTo('opencode'));
  for (const line of GARBAGE) {
    reader.line(line);
    reader.activity();
  }
  expect(reader.report()).toMatchObject({
    sessionId: null,
    tokens: NO_TOKENS,
    text: '',
    costUsd: null,
  });
  expect(reader.judge(end)).not.toBeNull();
});
