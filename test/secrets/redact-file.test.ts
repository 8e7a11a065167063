import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactOpenFile, redactPath } from '../../src/secrets/redact-file.ts';
import { Redactor } from '../../src/secrets/redactor.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const VALUE = 'näh-0123456789-0123456789';
const redactor = new Redactor([{ name: 'TOKEN', value: VALUE }]);
const EFFORT = { milliseconds: 60_000 };
const MASKED = `[redacted: TOKEN]${'*'.repeat(Buffer.byteLength(VALUE) - 17)}`;

test('a value is covered, and the length stays', async () => {
  const file = join(temporaryFolder(), 'a.log');
  writeFileSync(file, `one ${VALUE}\ntwo\n${VALUE}`);
  await redactPath(file, redactor, EFFORT);
  expect(readFileSync(file, 'utf8')).toBe(`one ${MASKED}\ntwo\n${MASKED}`);
});

test('wherever a value stands in a large file, it is covered', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.log');
  const chunk = 256 * 1024;
  const near = fc.integer({ min: -2 * VALUE.length, max: 2 * VALUE.length });
  const place = fc.oneof(fc.nat(4 * chunk), ...[1, 2, 3].map((n) => near.map((off) => n * chunk + off)));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(place, { maxLength: 5 }), async (places) => {
      const bytes = Buffer.alloc(4 * chunk + 100, '.');
      for (const at of places) bytes.write(VALUE, at);
      const whole = bytes.toString('latin1').split(Buffer.from(VALUE).toString('latin1')).length - 1;
      writeFileSync(file, bytes);
      await redactPath(file, redactor, EFFORT);
      const clean = readFileSync(file);
      expect(clean.length).toBe(bytes.length);
      expect(clean.includes(VALUE)).toBe(false);
      expect(clean.toString('latin1').split('[redacted: TOKEN]').length - 1).toBeGreaterThanOrEqual(whole);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('what is written piece by piece is covered, wherever the pieces end', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.log');
  const text = `${'x'.repeat(30)}${VALUE}${'y'.repeat(30)}${VALUE}`;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (sizes) => {
      writeFileSync(file, '');
      const descriptor = openSync(file, 'a+');
      let from = 0;
      let rest = Buffer.from(text);
      for (const size of sizes) {
        appendFileSync(file, rest.subarray(0, size));
        rest = rest.subarray(size);
        from = redactOpenFile(file, descriptor, redactor, { from, isComplete: false }).next;
      }
      appendFileSync(file, rest);
      redactOpenFile(file, descriptor, redactor, { from, isComplete: true });
      closeSync(descriptor);
      expect(readFileSync(file, 'utf8')).toBe(text.replaceAll(VALUE, MASKED));
    }),
  );
});

test('the beginning of a value at the end of a file is covered too', async () => {
  const file = join(temporaryFolder(), 'a.log');
  writeFileSync(file, `x ${VALUE.slice(0, 12)}`);
  await redactPath(file, redactor, EFFORT);
  expect(readFileSync(file, 'utf8')).toBe(`x ${'*'.repeat(13)}`);
});

test('a file that was emptied meanwhile is looked at from its beginning', () => {
  const path = join(temporaryFolder(), 'log');
  const redact = (from: number): number => {
    const descriptor = openSync(path, 'r');
    const { next } = redactOpenFile(path, descriptor, redactor, { from, isComplete: true });
    closeSync(descriptor);
    return next;
  };
  writeFileSync(path, 'x'.repeat(1000));
  const from = redact(0);
  writeFileSync(path, VALUE);
  redact(from);
  expect(readFileSync(path, 'utf8')).toBe(MASKED);
  writeFileSync(path, '');
  expect(redact(from)).toBe(0);
});

test('a folder is redacted with all that is below it, and links are left alone', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'outside'), VALUE);
  writeFileSync(join(folder, 'a/b/c'), VALUE);
  symlinkSync('../outside', join(folder, 'a/link'));
  await redactPath(join(folder, 'a'), redactor, EFFORT);
  await redactPath(join(folder, 'nothing'), redactor, EFFORT);
  expect(readFileSync(join(folder, 'a/b/c'), 'utf8')).toBe(MASKED);
  expect(readFileSync(join(folder, 'outside'), 'utf8')).toBe(VALUE);
});

test.runIf(process.getuid?.() !== 0)('what can not be redacted is removed', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), VALUE);
  writeFileSync(join(folder, 'b'), 'harmless');
  chmodSync(join(folder, 'a'), 0o400);
  chmodSync(join(folder, 'b'), 0o400);
  await redactPath(folder, redactor, EFFORT);
  expect([existsSync(join(folder, 'a')), existsSync(join(folder, 'b'))]).toEqual([false, true]);
});

test('what can neither be redacted nor removed is said, and nobody has to expect an error', async () => {
  const path = join(temporaryFolder(), 'x'.repeat(300));
  expect(await redactPath(path, redactor, EFFORT)).toEqual([
    expect.stringMatching(/x may hold secrets and could not be redacted: ENAMETOOLONG/),
  ]);
});

test('what there is no time for is cut out, and the end is kept', async () => {
  const file = join(temporaryFolder(), 'a.log');
  const megabyte = Buffer.alloc(1 << 20, `${VALUE}\n`);
  writeFileSync(
    file,
    Buffer.concat([...Array.from({ length: 8 }, () => megabyte), Buffer.from('last line\n')]),
  );
  const [sentence] = await redactPath(file, redactor, { milliseconds: 0 });
  const text = readFileSync(file, 'utf8');
  const [removed] = /^[89] MB/.exec(sentence ?? '') ?? [];
  expect(sentence).toBe(
    `${removed} were removed from ${file}: there was no time to search them for secrets.`,
  );
  expect(text).toContain(`[${removed} were removed here: there was no time to search them for secrets]`);
  expect(text).toMatch(/^\[redacted: TOKEN\].*last line\n$/s);
  expect(text).not.toContain('0123456789-0123456789');
});

test('a file that has another name too is not written to', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'logs'));
  writeFileSync(join(folder, 'victim'), VALUE);
  linkSync(join(folder, 'victim'), join(folder, 'logs/a.log'));
  await redactPath(join(folder, 'logs'), redactor, EFFORT);
  expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe(VALUE);
  expect(existsSync(join(folder, 'logs/a.log'))).toBe(false);
});
