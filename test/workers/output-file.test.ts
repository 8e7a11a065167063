import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_SECRETS } from '../../src/support/redactor.ts';
import { OutputFile } from '../../workers/output-file.ts';
import { temporaryFolder } from '../rig/temporary-folder.ts';

test('keeps what was written, and leaves no file without any', () => {
  const folder = temporaryFolder();
  const file = new OutputFile(join(folder, 'logs', 'a.log'), NO_SECRETS);
  file.write('one ');
  file.write(Buffer.from('two'));
  expect([file.size, file.tail(4), file.lost]).toEqual([7, 'two', null]);
  expect(file.close()).toBe(join(folder, 'logs', 'a.log'));
  expect(readFileSync(join(folder, 'logs', 'a.log'), 'utf8')).toBe('one two');
  expect(new OutputFile(join(folder, 'b.log'), NO_SECRETS).close()).toBeNull();
});

test('a place that takes no output is said, and stops nobody', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  const file = new OutputFile(join(folder, 'file', 'a.log'), NO_SECRETS);
  file.write('one');
  expect([file.lost, file.size, file.tail(0)]).toEqual([expect.stringContaining('EEXIST'), 0, '']);
  expect(file.close()).toBeNull();
});
