import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/domain/failure.ts';
import { aider } from '../../../workers/tools/aider.ts';
import type { ToolFindings, ToolRequest } from '../../../workers/tools/tool.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { GARBAGE, requestTo } from './recorded.ts';

const standIn = fileURLToPath(new URL('../../fixtures/tools/aider.mjs', import.meta.url));

/** A request in folders of its own. */
function request(script: string, more: Partial<ToolRequest> = {}): ToolRequest {
  const root = temporaryFolder();
  const folder = join(root, 'work');
  const scratch = join(root, 'scratch');
  for (const path of [folder, scratch]) mkdirSync(path);
  const promptFile = join(scratch, 'prompt.txt');
  writeFileSync(promptFile, 'Do what the test is for.');
  const base = requestTo('aider', { folder, scratch, promptFile, ...more });
  return { ...base, settings: { ...base.settings, command: [standIn], env: { AIDER_SCRIPT: script } } };
}

interface Ended {
  exitCode: number | null;
  activities: string[];
  findings: ToolFindings;
  failure: Failure | null;
}

/** Runs the stand-in to its end, or until it prints `stopAt`, when it is signalled. */
function run(asked: ToolRequest, stopAt?: string): Promise<Ended> {
  const command = aider.command(asked);
  const reader = aider.reader(asked);
  const child = spawn(command.file, command.args, {
    cwd: asked.folder,
    env: { ...process.env, ...command.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const activities: string[] = [];
  let tail = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    tail += `${line}\n`;
    reader.line(line);
    const activity = reader.activity();
    if (activity !== null) activities.push(activity);
    if (line === stopAt) child.kill('SIGTERM');
  });
  child.stdin.on('error', () => undefined).end(command.stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      const failure = reader.judge({ exitCode, signal, tail, log: '/log' });
      resolve({ exitCode, activities, findings: reader.report(), failure });
    });
  });
}

describe('command', () => {
  test('the message is a file, commits are the caller’s, and files that are there may be edited', () => {
    const asked = request('success', { scope: ['src/a.ts', 'src/*.ts', 'src', 'src/new.ts', 'b.ts'] });
    mkdirSync(join(asked.folder, 'src'));
    writeFileSync(join(asked.folder, 'src', 'a.ts'), '');
    writeFileSync(join(asked.folder, 'b.ts'), '');
    const { args, stdin } = aider.command(asked);
    expect(args.slice(0, 2)).toEqual(['--message-file', asked.promptFile]);
    expect(args).toEqual(expect.arrayContaining(['--yes-always', '--no-auto-commits', '--no-dirty-commits']));
    const files = args.flatMap((arg, index) => (arg === '--file' ? [args[index + 1]] : []));
    expect(files).toEqual([join(asked.folder, 'src/a.ts'), join(asked.folder, 'b.ts')]);
    expect(args).not.toContain('--model');
    expect(stdin).toBe('');
  });

  test('what it keeps is outside of the folder that it works in', () => {
    const asked = request('success');
    const { args } = aider.command(asked);
    for (const name of [
      '--analytics-log',
      '--chat-history-file',
      '--input-history-file',
      '--llm-history-file',
    ]) {
      expect(args[args.indexOf(name) + 1]).toContain(`${asked.scratch}/`);
    }
  });

  test('the chat of an earlier step is copied and read again', () => {
    const before = request('before');
    const chat = join(before.scratch, 'aider-chat.md');
    writeFileSync(chat, 'what was said');
    const asked = { ...request('success'), resume: chat };
    const { args } = aider.command(asked);
    expect(args).toContain('--restore-chat-history');
    expect(readFileSync(join(asked.scratch, 'aider-chat.md'), 'utf8')).toBe('what was said');
    const gone = { ...request('success'), resume: `${chat}.gone` };
    expect(aider.command(gone).args).not.toContain('--restore-chat-history');
    const end = { exitCode: 0, signal: null, tail: '', log: '' };
    expect([asked, gone].map((each) => aider.reader(each).lostSession(end))).toEqual([false, true]);
  });

  test('the configuration comes last', () => {
    const { settings } = requestTo('aider');
    const configured = { ...settings, model: 'vendor/model', args: ['--model', 'vendor/other'] };
    const { args } = aider.command(requestTo('aider', { settings: configured }));
    expect(args.slice(-2)).toEqual(['--model', 'vendor/other']);
    expect(args).not.toContain('vendor/model');
  });
});

test('success', async () => {
  const asked = request('success', { scope: ['a.txt'] });
  writeFileSync(join(asked.folder, 'a.txt'), '');
  const { failure, findings, activities } = await run(asked);
  expect(failure).toBeNull();
  expect(readFileSync(join(asked.folder, 'a.txt'), 'utf8')).toBe('written\n');
  expect(findings).toEqual({
    model: 'scripted/model',
    sessionId: join(asked.scratch, 'aider-chat.md'),
    text: 'I added the option.\n\nIt is documented.',
    tokens: { input: 3000, output: 150, cacheRead: null, cacheWrite: null, reasoning: null },
    costUsd: expect.closeTo(0.03, 9) as number,
    turns: 2,
    toolCalls: null,
  });
  expect(activities).toContain('I look at it.');
});

describe('it ends with 0 whatever its model did', () => {
  test.each([
    ['no-key', 'tool-not-logged-in', 'litellm.AuthenticationError'],
    ['quota', 'tool-quota', 'You exceeded your current quota'],
    ['server-error', 'no-model-answer', 'Overloaded'],
    ['exception', 'no-model-answer', 'Connection reset by peer'],
    ['failed-later', 'tool-error', 'the context is too long'],
    ['reflections', 'tool-limit', 'Only 3 reflections allowed, stopping.'],
  ])('%s: %s', async (script, reason, words) => {
    const { exitCode, failure } = await run(request(script));
    expect(exitCode).toBe(0);
    expect(failure).toMatchObject({
      reason,
      tool: 'aider',
      detail: expect.stringContaining(words) as string,
      log: '/log',
    });
  });

  test('an error after which it was answered is none', async () => {
    expect((await run(request('retried'))).failure).toBeNull();
  });
});

test('an answer of a model whose tokens it can not count', async () => {
  const { failure, findings } = await run(request('uncounted'));
  expect(failure).toBeNull();
  expect(findings).toMatchObject({ text: 'It is done.', turns: 1 });
});

test('an exit code of its own', async () => {
  const { exitCode, failure } = await run(request('unknown-model'));
  expect(exitCode).toBe(1);
  expect(failure).toMatchObject({
    reason: 'tool-error',
    detail: 'Unable to proceed without LLM credentials; with exit code 1',
  });
});

test('a signal while its model is silent', async () => {
  const { failure } = await run(request('silence'), 'Waiting for the model');
  expect(failure).toMatchObject({ reason: 'tool-interrupted' });
});

test('no log means that no model answered, and garbage in it changes nothing', () => {
  const asked = request('success');
  const reader = aider.reader(asked);
  const end = { exitCode: 0, signal: null, tail: '', log: '/log' };
  for (const line of GARBAGE) reader.line(line);
  expect(reader.judge(end)).toMatchObject({ reason: 'no-model-answer' });
  expect(reader.report()).toMatchObject({ text: '', costUsd: null, turns: null });
  const { args } = aider.command(asked);
  const log = args[args.indexOf('--analytics-log') + 1] ?? '';
  writeFileSync(log, [...GARBAGE, '{"event":"message_send"}', '{"event":[],"properties":{}}'].join('\n'));
  expect(reader.judge(end)).toMatchObject({ reason: 'no-model-answer' });
});
