/** Documents of runs with many workstreams: they are written as they are read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { bin, cleanEnvironment, millrace } from '../kit/command.ts';
import { opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A folder with a run of so many workstreams, each with an output of 4,800 characters. */
function recordedRun(count: number): string {
  const folder = temporaryFolder();
  const output = { text: 'as workstreams leave it '.repeat(200) };
  record(
    opened(folder),
    Array.from({ length: count }, (_, index) => result(`ws-${index}`, { metadata: { output } })),
  );
  return folder;
}

test('a document needs less memory than it is large', async () => {
  const folder = recordedRun(20_000);
  const heap = { NODE_OPTIONS: '--max-old-space-size=40' };
  const { code, stdout, stderr } = await millrace(folder, ['show', 'latest', '--json'], heap);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.length).toBeGreaterThan(90_000_000);
  const { workstreams } = JSON.parse(stdout) as { workstreams: { workstreamId: string }[] };
  expect(workstreams.length).toBe(20_000);
  expect(workstreams.at(-1)?.workstreamId).toBe('ws-19999');
});

test('`show --json` and `report --format json` print the same', async () => {
  const folder = recordedRun(300);
  const shown = await millrace(folder, ['show', 'latest', '--json']);
  const reported = await millrace(folder, ['report', 'latest', '--format', 'json']);
  expect(reported.stdout).toBe(shown.stdout);
});

test('a reader that goes away ends a document quietly', async () => {
  const child = spawn(process.execPath, [bin, 'show', 'latest', '--json'], {
    cwd: recordedRun(2_000),
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await ended).toEqual([0, null]);
  expect(stderr).toBe('');
});
