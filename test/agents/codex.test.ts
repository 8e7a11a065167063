import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, onTestFinished, test } from 'vitest';
import { codex } from '../../workers/tools/codex.ts';
import { jsonLine, objectAt, textAt } from '../../workers/tools/json-line.ts';
import {
  agentFolders,
  type Ended,
  type Folders,
  type StartedAgent,
  settingsOf,
  startAgent,
} from './agent.ts';
import type { ModelServer, Reply } from './model-server.ts';
import { codexEnvironment, openaiServer, USED } from './openai-server.ts';
import { program } from './programs.ts';
import { record } from './record.ts';

interface Start {
  args?: string[];
  env?: Record<string, string>;
  folders?: Folders;
}

/** Starts Codex against a model that follows the script. */
async function start(
  script: [Reply, ...Reply[]],
  { args = [], env = {}, folders = agentFolders() }: Start = {},
): Promise<StartedAgent & { server: ModelServer; folders: Folders }> {
  const server = await openaiServer(...script);
  const environment = { ...codexEnvironment(server.address, folders.home), ...env };
  const settings = settingsOf('codex', program('codex'), environment, args);
  return { ...startAgent({ adapter: codex, settings, folders }), server, folders };
}

/** Runs it to its end and keeps what it printed, and what its session file says of the sandbox, under `name`. */
async function run(name: string, script: [Reply, ...Reply[]], how: Start = {}): Promise<Ended> {
  const agent = await start(script, how);
  const ended = await agent.ended;
  const session = sandboxLines(agent.folders.home);
  record(`codex-${name}`, ended, agent.folders, session === '' ? {} : { 'session.jsonl': session });
  return ended;
}

/** The lines of the session file that the adapter looks at, without the rest of what they hold. */
function sandboxLines(home: string): string {
  return globSync('sessions/**/*.jsonl', { cwd: home })
    .flatMap((file) => readFileSync(join(home, file), 'utf8').split('\n'))
    .map((line) => {
      const entry = jsonLine(line);
      const payload = entry === null ? null : objectAt(entry, 'payload');
      if (entry === null || payload === null) return '';
      const type = textAt(payload, 'type');
      if (textAt(entry, 'type') === 'turn_context') {
        const { sandbox_policy } = payload;
        return `${JSON.stringify({ type: 'turn_context', payload: { sandbox_policy } })}\n`;
      }
      return type === 'function_call_output' || type === 'custom_tool_call_output' ? `${line}\n` : '';
    })
    .join('');
}

const shell = (cmd: string): Reply => ({ say: 'I run it.', call: { tool: 'exec_command', input: { cmd } } });
const patch = (file: string): Reply =>
  shell(`apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: ${file}\n+written\n*** End Patch\nEOF`);

describe('success', () => {
  test('files are written by a command and by a patch, and the report says what it took', async () => {
    const folders = agentFolders();
    const script: [Reply, ...Reply[]] = [
      shell('echo written > a.txt'),
      patch('b.txt'),
      { say: 'Both are written.' },
    ];
    const ended = await run('success', script, { folders });
    expect(ended.failure).toBeNull();
    expect(readFileSync(join(folders.work, 'a.txt'), 'utf8')).toBe('written\n');
    expect(readFileSync(join(folders.work, 'b.txt'), 'utf8')).toBe('written\n');
    expect(readFileSync(join(folders.scratch, 'last-message.txt'), 'utf8')).toBe('Both are written.');
    expect(ended.activities).toContain('runs echo written > a.txt');
    expect(ended.activities).toContain('writes b.txt');
    expect(ended.activities.at(-1)).toBe('Both are written.');
    expect(ended.findings).toMatchObject({
      model: null,
      text: 'Both are written.',
      tokens: {
        input: 3 * USED.input,
        output: 3 * USED.output,
        cacheRead: 3 * USED.cacheRead,
        cacheWrite: 0,
        reasoning: 3 * USED.reasoning,
      },
      costUsd: null,
      turns: 1,
      toolCalls: 2,
    });
    expect(ended.findings.sessionId).toMatch(/^[\da-f-]{36}$/);
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

  test('a command that fails is no failure of the tool', async () => {
    const ended = await run('failed-command', [
      shell('false'),
      { say: 'It failed, and that was asked for.' },
    ]);
    expect(ended.failure).toBeNull();
    expect(ended.findings.toolCalls).toBe(1);
  });

  test('a read-only sandbox in which nothing was to be written', async () => {
    const args = ['-s', 'read-only'];
    const ended = await run('read-only-review', [shell('ls /'), { say: 'It looks well.' }], { args });
    expect(ended.failure).toBeNull();
  });
});

describe('false success', () => {
  test('a command can not write in a read-only sandbox', async () => {
    const folders = agentFolders();
    const how = { folders, args: ['--sandbox=read-only'] };
    const ended = await run('read-only', [shell('echo hi > a.txt'), { say: 'I could not.' }], how);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'read-only' });
    expect(ended.failure).toHaveProperty('detail', expect.stringContaining('Read-only file system'));
    expect(existsSync(join(folders.work, 'a.txt'))).toBe(false);
  });

  test('a read-only sandbox of its configuration', async () => {
    const args = ['-c', 'sandbox_mode="read-only"'];
    const ended = await run('read-only-config', [shell('echo hi > a.txt'), { say: 'I could not.' }], {
      args,
    });
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'read-only' });
  });

  test('a patch can not write in a read-only sandbox', async () => {
    const args = ['-s', 'read-only'];
    const ended = await run('read-only-patch', [patch('b.txt'), { say: 'I could not.' }], { args });
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({
      reason: 'read-only',
      detail: 'writing is blocked by read-only sandbox; rejected by user approval settings',
    });
  });

  test('a patch can not write outside the folder', async () => {
    // The system's temporary folder may be written to, and the test's is in it.
    const file = '/usr/millrace-outside.txt';
    onTestFinished(() => rmSync(file, { force: true }));
    const ended = await run('outside', [patch(file), { say: 'I could not.' }]);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'permission-denied' });
    expect(existsSync(file)).toBe(false);
  });

  test('the model says nothing', async () => {
    const ended = await run('empty', [{}]);
    expect(ended.end.exitCode).toBe(0);
    expect(ended.failure).toMatchObject({ reason: 'no-model-answer' });
  });
});

describe('failure', () => {
  test.each([
    ['500', { status: 500, type: 'server_error', message: 'The server had an error' }, 'tool-error'],
    ['401', { status: 401, type: 'invalid_request_error', message: 'Incorrect key' }, 'tool-not-logged-in'],
    ['403', { status: 403, type: 'permission_error', message: 'Not allowed' }, 'tool-not-logged-in'],
    ['429', { status: 429, type: 'rate_limit', message: 'Slow down' }, 'tool-quota'],
    ['404', { status: 404, type: 'not_found', message: 'no such model' }, 'tool-error'],
    ['usage-limit', { status: 429, type: 'usage_limit_reached', message: 'The limit' }, 'tool-quota'],
    ['quota', { status: 429, type: 'insufficient_quota', message: 'You exceeded it' }, 'tool-quota'],
  ] as const)('the server answers %s', async (name, refusal, reason) => {
    const ended = await run(name, [refusal]);
    expect(ended.end.exitCode).toBe(1);
    expect(ended.failure).toMatchObject({ reason, tool: 'codex' });
  });

  test('the stream is cut', async () => {
    const ended = await run('cut', [{ say: 'Half of this is said.', cut: true }]);
    expect(ended.end.exitCode).toBe(1);
    expect(ended.failure).toMatchObject({ reason: 'tool-error' });
  });

  test('the key is not set', async () => {
    const ended = await run('no-key', [{ say: 'Never said.' }], { env: { SCRIPTED_KEY: '' } });
    expect(ended.failure).toMatchObject({ reason: 'tool-not-logged-in' });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s while the model is silent', async (signal) => {
    const agent = await start(['silence']);
    await agent.server.asked(1);
    agent.signal(signal);
    const ended = await agent.ended;
    record(`codex-${signal.toLowerCase()}`, ended, agent.folders);
    expect(ended.failure).toMatchObject({ reason: 'tool-interrupted' });
  });

  test('an option that it does not have', async () => {
    const ended = await run('unknown-option', [{ say: 'Never said.' }], { args: ['--nonsense'] });
    expect(ended.failure).toMatchObject({
      reason: 'tool-error',
      detail: "error: unexpected argument '--nonsense' found; with exit code 2",
    });
  });
});
