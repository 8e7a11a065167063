import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { signalGroup, signalProcess } from '../../src/os/process-group.ts';
import { ancestors, entryOf, hasProcessTable } from '../../src/os/process-table.ts';

test.runIf(hasProcessTable)('what this process lives by is never signalled', () => {
  const ended: NodeJS.Signals[] = [];
  const listener = (signal: NodeJS.Signals): void => void ended.push(signal);
  process.on('SIGTERM', listener);
  const all = ancestors();
  expect(all.slice(0, 2)).toEqual([process.pid, process.ppid]);
  // Were one of them to get it, this would be the last test.
  for (const pid of [0, 1, ...all]) signalProcess(pid, 'SIGTERM');
  for (const pid of [0, 1, ...all]) signalGroup(entryOf(pid)?.group ?? pid, 'SIGTERM');
  process.off('SIGTERM', listener);
  expect(ended).toEqual([]);
});

test('anything else is, with its group or alone', async () => {
  const child = spawn('sleep', ['1000'], { detached: true });
  await once(child, 'spawn');
  signalGroup(child.pid ?? 0, 'SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
});
