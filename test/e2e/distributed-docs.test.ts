/** The commands and files of docs/distributed.md, as a newcomer copies them. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bin, cleanEnvironment } from '../kit/command.ts';
import { hasRedis } from '../kit/redis.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const text = readFileSync(new URL('../../docs/distributed.md', import.meta.url), 'utf8');
const blocksOf = (part: string, language: string): string[] =>
  [...part.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block]) => block ?? '');

/** A home with nothing in it, where `millrace` is the built command. */
function newHome(): NodeJS.ProcessEnv {
  const home = temporaryFolder();
  const folder = join(home, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'millrace'), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
  chmodSync(join(folder, 'millrace'), 0o755);
  const env = cleanEnvironment();
  return { ...env, HOME: home, PATH: `${folder}${delimiter}${env['PATH'] ?? ''}` };
}

async function followsTheWay(): Promise<void> {
  const env = newHome();
  const home = env['HOME'] ?? '';
  const workers: ChildProcess[] = [];
  const [section = ''] = /^## From two empty folders.*?(?=^## )/ms.exec(text) ?? [];
  let stopRedis = '';
  onTestFinished(() => {
    for (const worker of workers) worker.kill('SIGKILL');
    spawnSync('redis-cli', ['-s', join(home, 'millrace-redis/socket'), 'shutdown', 'nosave']);
  });
  let shown = '';
  for (const block of blocksOf(section, 'sh')) {
    if (block.includes('millrace worker ')) workers.push(await startedWorker(block, env));
    else if (block.includes('shutdown')) stopRedis = block;
    else shown += execFileSync('sh', ['-ec', block], { cwd: home, env, encoding: 'utf8' });
  }
  expect(shown).toMatch(/^one .*\n^two /m);
  expect(shown).toMatch(/(one|two)\/agent-\d/);
  for (const worker of workers) {
    const ended = once(worker, 'exit');
    worker.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  }
  execFileSync('sh', ['-ec', stopRedis], { cwd: home, env });
}

/** A worker that is kept waiting for its processor loses its lease, and what it had in hand is executed again after that. */
const LEASES_MS = 180_000;
test.skipIf(!hasRedis)(
  'the way from empty folders to a run on two workers is as it is written',
  followsTheWay,
  LEASES_MS,
);

/** Resolves when it takes work. */
async function startedWorker(block: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn('sh', ['-ec', block.replace('millrace worker', 'exec millrace worker')], {
    cwd: env['HOME'],
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    printed += piece;
  });
  await expect.poll(() => printed).toContain('worker-started');
  return child;
}

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test.skipIf(!hasSystemd)('the unit of the service is one that systemd accepts', () => {
  const [unit = ''] = blocksOf(text, 'ini');
  const file = join(temporaryFolder(), 'millrace-worker.service');
  writeFileSync(file, unit);
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  expect(stderr.split('\n').filter((line) => line.includes('millrace-worker.service'))).toEqual([]);
  expect(status, stderr).toBe(0);
});
