import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileSelectionSchema, selectFiles } from '../../../../workstreams/tasks/lib/select-files.ts';
import { writeFiles } from '../../../kit/command.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

const kilobyte = 'x'.repeat(1000);

function workspace(): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'm/b.md': kilobyte,
    'm/B.md': kilobyte,
    'm/a/z.md': kilobyte.repeat(3),
    'm/empty.md': '',
    'm/other.txt': kilobyte,
  });
  symlinkSync(join(folder, 'm'), join(folder, 'm', 'loop'));
  return folder;
}

test('takes files in the order of their paths by code unit, without empty ones and links', () => {
  const files = selectFiles(workspace(), { patterns: ['m/**/*.md'], max_megabytes: 1 });
  expect(files).toEqual([
    { path: 'm/B.md', bytes: 1000 },
    { path: 'm/a/z.md', bytes: 3000 },
    { path: 'm/b.md', bytes: 1000 },
  ]);
});

test('stops before the files are too much together, and passes over those that are too large', () => {
  const folder = workspace();
  const paths = (selection: { max_megabytes: number; max_file_megabytes?: number }): string[] =>
    selectFiles(folder, { patterns: ['m/**/*.md'], ...selection }).map(({ path }) => path);
  expect(paths({ max_megabytes: 0.0045 })).toEqual(['m/B.md', 'm/a/z.md']);
  expect(paths({ max_megabytes: 0.0045, max_file_megabytes: 0.002 })).toEqual(['m/B.md', 'm/b.md']);
});

test('says so when nothing matches', () => {
  const folder = workspace();
  expect(() => selectFiles(folder, { patterns: ['n/*.md'], max_megabytes: 1 })).toThrow(
    `No file matches n/*.md in ${folder}: run npm ci first.`,
  );
});

test('a selection with a field that does not exist is refused', () => {
  expect(fileSelectionSchema.safeParse({ patterns: ['*'], max_megabytes: 1, max: 2 }).success).toBe(false);
});
