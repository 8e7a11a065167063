import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claude } from '../../workers/tools/claude.ts';
import {
  agentFolders,
  type Ended,
  type Folders,
  type StartedAgent,
  settingsOf,
  startAgent,
} from './agent.ts';
import { anthropicServer, claudeEnvironment, USED } from './anthropic-server.ts';
import type { ModelServer, Reply } from './model-server.ts';
import { program } from './programs.ts';
import { record } from './record.ts';

interface Start {
  args?: string[];
  env?: Record<string, string>;
  budgetUsd?: number;
  folders?: Folders;
}

/** Starts Claude Code against a model that follows the script. */
async function start(
  script: [Reply, ...Reply[]],
  { args = [], env = {}, folders = agentFolders(), ...more }: Start = {},
): Promise<StartedAgent & { server: ModelServer; folders: Folders }> {
  const server = await anthropicServer(...script);
  const environment = { ...claudeEnvironment(server.address, folders.home), ...env };
  const settings = settingsOf('claude', program('claude'), environment, args);
  return { ...startAgent({ adapter: claude, settings, folders, ...more }), server, folders };
}

/** Runs it to its end and keeps what it printed under `name`. */
async function run(name: string, script: [Reply, ...Reply[]], how: Start = {}): Promise<Ended> {
  const agent = await start(script, how);
  const ended = await agent.ended;
  record(`claude-${name}`, ended, agent.folders);
  return ended;
}

const write = (file_path: string): Reply => ({
  say: 'I write the file.',
  call: { tool: 'Write', input: { file_path, content: 'written\n' } },
});

describe('success', () => {
  test('a file is written, and the report says what it took', async () => {
    const folders = agentFolders();
    const file = join(folders.work, 'a.txt');
    const ended = await run('success', [write(file), { say: 'The file is written.' }], { folders });
    expect(ended.failure).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('written\n');
    expect(ended.activities).toEqual(['I write the file.', 'writes a.txt', 'The file is written.']);
    const input = USED.input + USED.cacheRead + USED.cacheWrite;
    expect(ended.findings).toMatchObject({
      model: 'scripted-model',
      sessionId: '11111111-2222-4333-8444-555555555555',
      text: 'The file is written.',
      tokens: { input: 2 * input, output: 2 * USED.output, cacheRead: 40, cacheWrite: 20, reasoning: 0 },
      turns: 2,
      toolCalls: 1,
    });
    expect(ended.findings.costUsd).toBeGreaterThan(0);
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

  test('the permissions of the configuration win', async () => {
    const folders = agentFolders();
    const file = join(folders.root, 'outside.txt');
    const args = ['--dangerously-skip-permissions'];
    const how = { folders, args, env: { IS_SANDBOX: '1' } };
    const ended = await run('skip-permissions', [write(file), { say: 'Written.' }], how);
    expect(ended.failure).toBeNull();
    expect(existsSync(file)).toBe(true);
  });
});

describe('false success', () => {
  test('a write outside the folder is denied', async () => {
    const folders = agentFolders();
    const file = join(folders.root, 'outside.txt');
    const ended = await run('denied', [write(file), { say: 'I was not permitted.' }], { folders });
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied', denied: [`Write ${file}`] });
    expect(existsSync(file)).toBe(false);
  });

  test('a write without acceptEdits is denied', async () => {
    const folders = agentFolders();
    const args = ['--permission-mode', 'default'];
    const script: [Reply, Reply] = [write(join(folders.work, 'a.txt')), { say: 'I was not permitted.' }];
    const ended = await run('denied-by-mode', script, { folders, args });
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied' });
  });

  test('a command that needs a permission is denied', async () => {
    const script: [Reply, Reply] = [
      { call: { tool: 'Bash', input: { command: 'npm test' } } },
      { say: 'I could not test.' },
    ];
    const ended = await run('denied-command', script);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied', denied: ['Bash npm test'] });
    expect(ended.activities[0]).toBe('runs npm test');
  });

  test('the model says nothing', async () => {
    const ended = await run('empty', [{}]);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'no-model-answer' });
  });

  test('SIGINT while the model answers', async () => {
    const agent = await start(['silence']);
    await agent.server.asked(1);
    agent.signal('SIGINT');
    const ended = await agent.ended;
    record('claude-sigint', ended, agent.folders);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'tool-interrupted' });
  });
});

describe('failure', () => {
  test.each([
    ['500', { status: 500, type: 'api_error', message: 'Internal server error' }, 'tool-error'],
    [
      '401',
      { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
      'tool-not-logged-in',
    ],
    ['403', { status: 403, type: 'permission_error', message: 'Not allowed' }, 'tool-not-logged-in'],
    ['429', { status: 429, type: 'rate_limit_error', message: 'This exceeds your rate limit' }, 'tool-quota'],
    [
      'no-credit',
      { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low to access it.' },
      'tool-quota',
    ],
    ['404', { status: 404, type: 'not_found_error', message: 'model: none' }, 'tool-error'],
  ] as const)('the server answers %s', async (name, refusal, reason) => {
    const ended = await run(name, [refusal]);
    expect(ended.end.exitCode).toBe(1);
    expect(ended.failure).toMatchObject({ reason, tool: 'claude' });
    expect(ended.findings.text).toBe('');
  });

  test('the stream is cut', async () => {
    const ended = await run('cut', [{ say: 'Half of this is said.', cut: true }]);
    expect(ended.end.exitCode).toBe(1);
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });

  test('nobody is logged in', async () => {
    const ended = await run('not-logged-in', [{ say: 'Never said.' }], { env: { ANTHROPIC_API_KEY: '' } });
    expect(ended.failure).toMatchObject({
      reason: 'tool-not-logged-in',
      detail: 'Not logged in · Please run /login',
    });
  });

  test('its limit of turns', async () => {
    const folders = agentFolders();
    const args = ['--max-turns', '1'];
    const ended = await run('turn-limit', [write(join(folders.work, 'a.txt'))], { folders, args });
    expect(ended.failure).toMatchObject({
      reason: 'tool-limit',
      detail: 'Reached maximum number of turns (1)',
    });
  });

  test('its limit of cost, and what was spent until then', async () => {
    const folders = agentFolders();
    const script: [Reply] = [write(join(folders.work, 'a.txt'))];
    const ended = await run('cost-limit', script, { folders, budgetUsd: 0.000_001 });
    expect(ended.failure).toMatchObject({ reason: 'tool-limit' });
    expect(ended.findings.costUsd).toBeGreaterThan(0);
    expect(ended.findings.tokens.output).toBe(USED.output);
  });

  test('SIGTERM while the model is silent', async () => {
    const agent = await start(['silence']);
    await agent.server.asked(1);
    agent.signal('SIGTERM');
    const ended = await agent.ended;
    record('claude-sigterm', ended, agent.folders);
    expect(ended.end.exitCode).toBe(143);
    expect(ended.failure).toMatchObject({ reason: 'tool-interrupted' });
  });

  test('an option that it does not have', async () => {
    const ended = await run('unknown-option', [{ say: 'Never said.' }], { args: ['--nonsense'] });
    expect(ended.failure).toMatchObject({
      reason: 'tool-error',
      detail: "error: unknown option '--nonsense'; with exit code 1",
    });
  });
});
