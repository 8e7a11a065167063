import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { groupIsAlive } from '../../../src/os/process-group.ts';
import { probeVersion } from '../../../workers/tools/version.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** Writes a shell program and gives the command that asks for its version. */
function agent(lines: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'agent');
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  const command = {
    shown: 'agent',
    file,
    args: ['--version'],
    shell: false,
    cwd: folder,
    env: {},
    containment: null,
  };
  const ask = (signal = new AbortController().signal, timeoutMs?: number) =>
    probeVersion(command, join(folder, 'version.txt'), signal, timeoutMs);
  return { folder, ask };
}

test('is the first line that says something, and is asked for once', async () => {
  const { folder, ask } = agent(
    'echo asked >> asked; echo; echo "  agent 1.2.3 (beta) "; echo more; echo odd >&2',
  );
  expect([await ask(), await ask()]).toEqual(['agent 1.2.3 (beta)', 'agent 1.2.3 (beta)']);
  expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('asked\n');
});

test('is not known of a program that fails, or says nothing', async () => {
  expect(await agent('echo usage: agent; exit 2').ask()).toBeNull();
  expect(await agent('true').ask()).toBeNull();
});

test('is not waited for by a process that the program leaves behind', async () => {
  const { folder, ask } = agent('sleep 100000 & echo $! > pid; echo 1.0');
  expect(await ask()).toBe('1.0');
  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
});

test('is not known of a program that hangs, which is ended with its group', async () => {
  const hangs = "trap '' TERM; echo $$ > pid.part; mv pid.part pid; sleep 100000 & wait";
  let { folder, ask } = agent(hangs);
  // The program has to get so far before its time is over.
  for (let milliseconds = 500; !existsSync(join(folder, 'pid')); milliseconds *= 2) {
    ({ folder, ask } = agent(hangs));
    expect(await ask(undefined, milliseconds)).toBeNull();
  }
  const group = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  // Only its leader is waited for: the rest was sent SIGKILL, and may die a moment later.
  await expect.poll(() => groupIsAlive(group)).toBe(false);
});

test('is asked for again when the first time was broken off', async () => {
  const { folder, ask } = agent('test -e slow || exec sleep 100000; echo 2.0');
  expect(await ask(AbortSignal.abort())).toBeNull();
  writeFileSync(join(folder, 'slow'), '');
  expect(await ask()).toBe('2.0');
});
