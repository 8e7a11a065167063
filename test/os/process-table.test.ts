import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { hasProcessTable, variableOf } from '../../src/os/process-table.ts';

let child: ReturnType<typeof spawn> | undefined;

afterEach(async () => {
  if (child === undefined || child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
});

const started = (command: string, env: NodeJS.ProcessEnv): number => {
  child = spawn('/bin/sh', ['-c', command], { env, stdio: 'ignore' });
  return child.pid ?? 0;
};

test.runIf(hasProcessTable)(
  'a process that becomes another program all the time never seems to have no environment',
  () => {
    const pid = started('exec /bin/sh -c "$LINE"', { MARK: 'mine', LINE: 'exec /bin/sh -c "$LINE"' });
    const found = new Set<string | undefined | null>();
    for (let look = 0; look < 30_000; look++) found.add(variableOf(pid, 'MARK'));
    expect([...found]).toEqual(['mine']);
  },
);

test.runIf(hasProcessTable)('a process whose environment was cleared has no variable', () => {
  const pid = started('exec env -i sleep 100', { MARK: 'mine' });
  const deadline = performance.now() + 30_000;
  while (variableOf(pid, 'MARK') !== undefined && performance.now() < deadline);
  expect(variableOf(pid, 'MARK')).toBeUndefined();
});
