import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/domain/json.ts';
import { opencode } from '../../workers/tools/opencode.ts';
import {
  agentFolders,
  type Ended,
  type Folders,
  type StartedAgent,
  settingsOf,
  startAgent,
} from './agent.ts';
import { keepStream } from './keep-stream.ts';
import type { ModelServer, Reply } from './model-server.ts';
import { COST, opencodeEnvironment, opencodeServer, USED } from './opencode-server.ts';
import { program } from './programs.ts';

interface Start {
  args?: string[];
  configured?: JsonObject;
  folders?: Folders;
}

/** Starts OpenCode against a model that follows the script. */
async function start(
  script: [Reply, ...Reply[]],
  { args = [], configured = {}, folders = agentFolders() }: Start = {},
): Promise<StartedAgent & { server: ModelServer; folders: Folders }> {
  const server = await opencodeServer(...script);
  const environment = opencodeEnvironment(server.address, folders.home, configured);
  const settings = {
    ...settingsOf('opencode', program('opencode'), environment, args),
    model: 'scripted/model',
  };
  return { ...startAgent({ adapter: opencode, settings, folders }), server, folders };
}

/** Runs it to its end and keeps what it printed under `name`. */
async function run(name: string, script: [Reply, ...Reply[]], how: Start = {}): Promise<Ended> {
  const agent = await start(script, how);
  const ended = await agent.ended;
  keepStream('opencode', name, ended, agent.folders);
  return ended;
}

const write = (file: string): Reply => ({
  say: 'I write it.',
  call: { tool: 'write', input: { filePath: file, content: 'written\n' } },
});
const done: Reply = { say: 'It is done.' };
const refusal = (status: number, type: string, message: string): Reply => ({ status, type, message });

describe('success', () => {
  test('a file is written, and the report says what it took', async () => {
    const folders = agentFolders();
    const file = join(folders.work, 'a.txt');
    const ended = await run('success', [write(file), { say: 'The file is written.' }], { folders });
    expect(ended.failure).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('written\n');
    expect(ended.activities).toContain('wrote a.txt');
    expect(ended.activities.at(-1)).toBe('The file is written.');
    expect(ended.findings).toEqual({
      model: 'scripted/model',
      sessionId: expect.stringMatching(/^ses_/) as string,
      text: 'The file is written.',
      tokens: {
        input: 2 * (USED.input + USED.cacheRead),
        output: 2 * (USED.output + USED.reasoning),
        cacheRead: 2 * USED.cacheRead,
        cacheWrite: 0,
        reasoning: 2 * USED.reasoning,
      },
      costUsd: expect.closeTo(2 * COST, 9) as number,
      turns: 2,
      toolCalls: 1,
    });
  });

  test('a slow stream', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    const agent = await start([{ say: 'It took its time.', until }]);
    await agent.server.asked(1);
    release();
    const ended = await agent.ended;
    expect(ended.failure).toBeNull();
    expect(ended.findings.text).toBe('It took its time.');
  });

  test('with --auto it answers a question of its own with yes', async () => {
    const folders = agentFolders();
    const file = join(folders.scratch, 'outside.txt');
    const ended = await run('outside', [write(file), done], { folders });
    expect(ended.failure).toBeNull();
    expect(existsSync(file)).toBe(true);
  });
});

describe('false success', () => {
  test('a question is rejected without --auto', async () => {
    const folders = agentFolders();
    const file = join(folders.scratch, 'outside.txt');
    const ended = await run('rejected', [write(file), done], { folders, args: ['--no-auto'] });
    expect(ended.end.exitCode).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(ended.failure).toMatchObject({
      reason: 'permission-denied',
      tool: 'opencode',
      detail: expect.stringContaining('The user rejected permission') as string,
    });
  });

  test('a rule of the configuration denies', async () => {
    const folders = agentFolders();
    const configured = { permission: { bash: { '*': 'allow', 'touch *': 'deny' } } };
    const touch: Reply = { call: { tool: 'bash', input: { command: 'touch a.txt', description: 'Touch' } } };
    const ended = await run('denied', [touch, done], { folders, configured });
    expect(ended.end.exitCode).toBe(0);
    expect(existsSync(join(folders.work, 'a.txt'))).toBe(false);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied' });
  });

  test('a rule takes the tool that writes away', async () => {
    const folders = agentFolders();
    const file = join(folders.work, 'a.txt');
    const configured = { permission: { edit: 'deny' } };
    const ended = await run('read-only', [write(file), done], { folders, configured });
    expect(existsSync(file)).toBe(false);
    expect(ended.failure).toMatchObject({ reason: 'read-only' });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s while its model is silent', async (signal) => {
    const agent = await start(['silence']);
    await agent.server.asked(1);
    agent.signal(signal);
    const ended = await agent.ended;
    keepStream('opencode', signal.toLowerCase(), ended, agent.folders);
    expect(ended.failure).toMatchObject({ reason: 'tool-interrupted' });
  });

  test('an answer without words', async () => {
    const ended = await run('empty', [{}]);
    expect(ended.failure).toMatchObject({ reason: 'no-model-answer' });
  });
});

describe('errors of the model', () => {
  test.each([
    [400, 'invalid_request_error', 'There is something wrong with the request.', 'tool-error'],
    [401, 'authentication_error', 'Invalid credentials.', 'tool-not-logged-in'],
    [402, 'billing_error', 'Nothing is left.', 'tool-quota'],
    [403, 'permission_error', 'The account may not do that.', 'tool-not-logged-in'],
  ])('status %i', async (status, type, message, reason) => {
    const ended = await run(String(status), [refusal(status, type, message)]);
    expect(ended.failure).toMatchObject({ reason, detail: expect.stringContaining(message) as string });
  });

  test.each<[string, Reply]>([
    ['429', refusal(429, 'rate_limit_error', 'Too many requests.')],
    ['500', refusal(500, 'server_error', 'An internal error has occurred.')],
    ['cut', { say: 'This is never said to its end.', cut: true }],
  ])('after %s it asks again, and an answer is a success', async (name, first) => {
    const ended = await run(`${name}-then-answer`, [first, done]);
    expect(ended.failure).toBeNull();
    expect(ended.findings.text).toBe('It is done.');
  });

  test('after a stream that was cut when its step had begun it asks again, and an answer is a success', async () => {
    let cut = (): void => undefined;
    const until = new Promise<void>((resolve) => (cut = resolve));
    const agent = await start([{ say: 'This is never said to its end.', cut: true, until }, done]);
    await agent.printed('step_start');
    cut();
    const ended = await agent.ended;
    keepStream('opencode', 'cut-in-step-then-answer', ended, agent.folders);
    expect(ended.failure).toBeNull();
    expect(ended.findings.text).toBe('It is done.');
  });

  test('a model that is not configured', async () => {
    const ended = await run('no-model', [done], { args: ['-m', 'scripted/none'] });
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });
});

describe('before the work', () => {
  test('an unknown option', async () => {
    const ended = await run('unknown-option', [done], { args: ['--format=none'] });
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });
});
