/** A log file is rotated while a run writes it, in each way that logrotate has. */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { RunLog } from '../../src/progress/logs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** Time in which the log is sure to look at its file again. */
const LATER_MS = 1_000;

const notice = (text: string): RunEvent => ({ type: 'notice', level: 'info', text, workstreamId: null });

const textsIn = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

test.each<[string, (file: string) => void, string[]]>([
  [
    'create',
    (file) => {
      renameSync(file, `${file}.1`);
      writeFileSync(file, '');
    },
    ['one', 'two'],
  ],
  ['nocreate', (file) => renameSync(file, `${file}.1`), ['one', 'two']],
  [
    'copytruncate',
    (file) => {
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
    },
    ['one'],
  ],
])('%s: all lines are in one file or the other', async (_, rotate, before) => {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level: 'info', descriptor: null, file });
  log.take([notice('one')]);
  rotate(file);
  log.take([notice('two')]);
  vi.advanceTimersByTime(LATER_MS);
  log.take([notice('three')]);
  log.take([notice('four')]);
  await log.close();
  expect(textsIn(`${file}.1`)).toEqual(before);
  expect(textsIn(file)).toEqual(['one', 'two', 'three', 'four'].filter((text) => !before.includes(text)));
});

test('a file that was removed is made again, and where that is not possible the run goes on', async () => {
  const folder = join(temporaryFolder(), 'logs');
  const file = join(folder, 'run.log');
  const log = new RunLog({ level: 'info', descriptor: null, file });
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'a file in the place of the folder');
  vi.advanceTimersByTime(LATER_MS);
  log.take([notice('lost')]);
  rmSync(folder);
  vi.advanceTimersByTime(LATER_MS);
  log.take([notice('kept')]);
  await log.close();
  expect(textsIn(file)).toEqual(['kept']);
  expect(existsSync(file)).toBe(true);
});
