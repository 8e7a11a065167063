import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/domain/json.ts';
import { gemini } from '../../workers/tools/gemini.ts';
import {
  agentFolders,
  type Ended,
  type Folders,
  type StartedAgent,
  settingsOf,
  startAgent,
} from './agent.ts';
import { geminiEnvironment, geminiServer, MODEL, USED } from './gemini-server.ts';
import { keepStream } from './keep-stream.ts';
import type { ModelServer, Reply } from './model-server.ts';
import { program } from './programs.ts';

interface Start {
  args?: string[];
  env?: Record<string, string>;
  configured?: JsonObject;
  folders?: Folders;
}

/** Starts Gemini CLI against a model that follows the script. */
async function start(
  script: [Reply, ...Reply[]],
  { args = [], env = {}, configured = {}, folders = agentFolders() }: Start = {},
): Promise<StartedAgent & { server: ModelServer; folders: Folders }> {
  const server = await geminiServer(...script);
  const environment = { ...geminiEnvironment(server.address, folders.home, configured), ...env };
  const settings = { ...settingsOf('gemini', program('gemini'), environment, args), model: MODEL };
  return { ...startAgent({ adapter: gemini, settings, folders }), server, folders };
}

/** Runs it to its end and keeps what it printed under `name`. */
async function run(name: string, script: [Reply, ...Reply[]], how: Start = {}): Promise<Ended> {
  const agent = await start(script, how);
  const ended = await agent.ended;
  keepStream('gemini', name, ended, agent.folders);
  return ended;
}

const write = (file: string): Reply => ({
  say: 'I write it.',
  call: { tool: 'write_file', input: { file_path: file, content: 'written\n' } },
});
const done: Reply = { say: 'It is done.' };
const refusal = (status: number, type: string, message: string): Reply => ({ status, type, message });

describe('success', () => {
  test('a file is written, and the report says what it took', async () => {
    const folders = agentFolders();
    const ended = await run('success', [write('a.txt'), { say: 'The file is written.' }], { folders });
    expect(ended.failure).toBeNull();
    expect(readFileSync(join(folders.work, 'a.txt'), 'utf8')).toBe('written\n');
    expect(ended.activities).toContain('writes a.txt');
    expect(ended.activities.at(-1)).toBe('The file is written.');
    expect(ended.findings).toEqual({
      model: MODEL,
      sessionId: '11111111-2222-4333-8444-555555555555',
      text: 'The file is written.',
      tokens: {
        input: 2 * USED.input,
        output: 2 * USED.output,
        cacheRead: 2 * USED.cacheRead,
        cacheWrite: null,
        reasoning: null,
      },
      costUsd: null,
      turns: null,
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
});

describe('false success', () => {
  test('no tool that writes, in its default mode', async () => {
    const folders = agentFolders();
    const args = ['--approval-mode', 'default'];
    const ended = await run('read-only', [write('a.txt'), done], { args, folders });
    expect(ended.end.exitCode).toBe(0);
    expect(existsSync(join(folders.work, 'a.txt'))).toBe(false);
    expect(ended.failure).toMatchObject({
      reason: 'read-only',
      tool: 'gemini',
      detail: expect.stringContaining('write_file') as string,
    });
  });

  test('a policy that denies', async () => {
    const folders = agentFolders();
    const ended = await run('denied', [write('a.txt'), done], { args: ['--approval-mode', 'plan'], folders });
    expect(ended.end.exitCode).toBe(0);
    expect(existsSync(join(folders.work, 'a.txt'))).toBe(false);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied' });
  });

  test('a file outside of the folder', async () => {
    const ended = await run('outside', [write('/etc/not-here/a.txt'), done]);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({
      reason: 'permission-denied',
      detail: expect.stringContaining('Path not in workspace') as string,
    });
  });

  test('a denial after which it found another way: only acceptance tells whether that will do', async () => {
    const folders = agentFolders();
    const script: [Reply, ...Reply[]] = [write('/etc/not-here/a.txt'), write('a.txt'), done];
    const ended = await run('denied-then-written', script, { folders });
    expect(existsSync(join(folders.work, 'a.txt'))).toBe(true);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied' });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s while its model is silent', async (signal) => {
    const agent = await start(['silence']);
    await agent.server.asked(1);
    agent.signal(signal);
    const ended = await agent.ended;
    keepStream('gemini', signal.toLowerCase(), ended, agent.folders);
    expect(ended.failure).toMatchObject({ reason: 'tool-interrupted' });
  });

  test('an answer without words', async () => {
    const ended = await run('empty', [{}]);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'no-model-answer' });
  });
});

describe('errors of the model', () => {
  test.each([
    [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', 'tool-not-logged-in'],
    [401, 'UNAUTHENTICATED', 'Request had invalid credentials.', 'tool-not-logged-in'],
    [403, 'PERMISSION_DENIED', 'The caller does not have permission.', 'tool-not-logged-in'],
    [404, 'NOT_FOUND', 'There is no such model.', 'tool-error'],
    [429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', 'tool-quota'],
    [500, 'INTERNAL', 'An internal error has occurred.', 'tool-error'],
  ])('status %i', async (status, type, message, reason) => {
    const ended = await run(String(status), [refusal(status, type, message)]);
    expect(ended.failure).toMatchObject({ reason, detail: expect.stringContaining(message) as string });
  });

  test('a stream that is cut', async () => {
    const ended = await run('cut', [{ say: 'This is never said to its end.', cut: true }]);
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });
});

describe('before the work', () => {
  test('nobody is logged in', async () => {
    const ended = await run('not-logged-in', [done], { env: { GEMINI_API_KEY: '' } });
    expect(ended.failure).toMatchObject({ reason: 'tool-not-logged-in' });
  });

  test('a limit of turns', async () => {
    const configured = { model: { maxSessionTurns: 1 } };
    const ended = await run('turn-limit', [write('a.txt'), done], { configured });
    expect(ended.failure).toMatchObject({ reason: 'tool-limit' });
  });

  test('an administrator does not allow that it answers its own questions', async () => {
    const configured = { security: { auth: { selectedType: 'gemini-api-key' }, disableYoloMode: true } };
    const ended = await run('yolo-disabled', [done], { configured });
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });

  test('an unknown option', async () => {
    const ended = await run('unknown-option', [done], { args: ['--no-such-option'] });
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });
});
