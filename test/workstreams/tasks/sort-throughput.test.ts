import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../workstreams/tasks/sort-throughput.mjs', import.meta.url));
const run = (cwd: string, ...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { cwd, encoding: 'utf8' });

test('prints a line for each way to sort and writes the same to the file', () => {
  const folder = temporaryFolder();
  const { status, stdout, stderr } = run(folder, '1000', 'reports/sorted.txt');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^radix-sort [\d.]+ [\d.]+\ntyped-array [\d.]+ [\d.]+\ncomparator [\d.]+ [\d.]+\n$/);
  expect(readFileSync(join(folder, 'reports/sorted.txt'), 'utf8')).toBe(stdout);
});

test.each([[], ['many', 'file'], ['10']])('the arguments %j are not enough', (...args) => {
  const { status, stderr } = run(temporaryFolder(), ...args);
  expect({ status, stderr }).toEqual({ status: 2, stderr: 'Usage: node sort-throughput.mjs COUNT FILE\n' });
});
