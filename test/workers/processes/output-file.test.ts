import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Redactor } from '../../../src/secrets/redactor.ts';
import { OutputFile } from '../../../workers/processes/output-file.ts';
import { NO_SECRETS } from '../../kit/no-secrets.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

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

test('what an earlier execution left is kept, and is no output of this one', () => {
  const path = join(temporaryFolder(), 'a.log');
  writeFileSync(path, 'of the first attempt\n');
  const file = new OutputFile(path, NO_SECRETS);
  const from = file.size;
  expect(file.descriptor).toBeGreaterThan(0);
  expect([file.size, file.tail(from)]).toEqual([0, '']);
  file.write('of the second\n');
  expect([file.size, file.tail(from), file.tail(7)]).toEqual([14, 'of the second\n', 'second\n']);
  expect(file.close()).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('of the first attempt\nof the second\n');
});

test('a log to which nothing was added stays', () => {
  const path = join(temporaryFolder(), 'a.log');
  writeFileSync(path, 'of the first attempt\n');
  const file = new OutputFile(path, NO_SECRETS);
  file.write('');
  expect(file.close()).toBe(path);
});

test('a place that takes no output is said, and stops nobody', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  const file = new OutputFile(join(folder, 'file', 'a.log'), NO_SECRETS);
  file.write('one');
  expect([file.lost, file.size, file.tail(0)]).toEqual([expect.stringContaining('EEXIST'), 0, '']);
  expect(file.close()).toBeNull();
});

const VALUE = '0123456789abcdefghij';
const redactor = new Redactor([{ name: 'TOKEN', value: VALUE }]);
const EFFORT = { milliseconds: 60_000 };

test('a secret is not written, and one that comes in pieces or from a child process is covered before it is read', async () => {
  const path = join(temporaryFolder(), 'a.log');
  const file = new OutputFile(path, redactor);
  const read = (): string => readFileSync(path, 'utf8');
  file.write(`one ${VALUE}\n`);
  expect(read()).toBe('one [redacted: TOKEN]***\n');
  file.write(VALUE.slice(0, 10));
  expect(file.tail(25)).toBe('[redacted: TOKEN]');
  file.write(VALUE.slice(10));
  expect(file.tail(25)).toBe('[redacted: TOKEN]***');
  appendFileSync(path, `${'.'.repeat(5000)}${VALUE}${'.'.repeat(4090)}`);
  expect(file.tail(0)).toBe(`…EN]***${'.'.repeat(4090)}`);
  appendFileSync(path, VALUE.slice(0, 9));
  await file.finish(EFFORT);
  file.close();
  expect(read()).not.toContain('0123456');
});

test.runIf(process.getuid?.() !== 0)('output that can not be redacted is removed', async () => {
  const path = join(temporaryFolder(), 'a.log');
  const file = new OutputFile(path, redactor);
  file.write('one');
  appendFileSync(path, VALUE);
  chmodSync(path, 0o400);
  await file.finish(EFFORT);
  expect(file.close()).toBeNull();
  expect(file.lost).toContain('EACCES');
  expect(existsSync(path)).toBe(false);
});

test('what has taken the place of the file is left alone', async () => {
  const path = join(temporaryFolder(), 'a.log');
  const file = new OutputFile(path, redactor);
  file.write('one');
  appendFileSync(path, VALUE);
  renameSync(path, `${path}.old`);
  writeFileSync(path, `other ${VALUE}`);
  expect(file.tail(0)).toBe('one[redacted: TOKEN]***');
  await file.finish(EFFORT);
  expect(readFileSync(path, 'utf8')).toBe(`other ${VALUE}`);
  expect(readFileSync(`${path}.old`, 'utf8')).toBe('one[redacted: TOKEN]***');
  file.close();
});
