import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ReportError, writeReport } from '../../src/report/write.ts';
import { RUN_ID } from '../kit/consolidated-result.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const NAME = `multi_agent_consolidated_${RUN_ID}.md`;

test('makes the folder, writes the file and leaves nothing else', () => {
  const folder = join(temporaryFolder(), 'a', 'reports');
  expect(writeReport(folder, RUN_ID, 'md', '# Wörld 🌊\n')).toBe(join(folder, NAME));
  expect(readFileSync(join(folder, NAME), 'utf8')).toBe('# Wörld 🌊\n');
  expect(readdirSync(folder)).toEqual([NAME]);
});

test('replaces an earlier report of the same run', () => {
  const folder = temporaryFolder();
  writeReport(folder, RUN_ID, 'md', 'a long first report\n');
  writeReport(folder, RUN_ID, 'md', 'second\n');
  expect(readFileSync(join(folder, NAME), 'utf8')).toBe('second\n');
  expect(readdirSync(folder)).toEqual([NAME]);
});

test('removes what a process left that was killed while it wrote, and nothing of one that may be writing', () => {
  const folder = temporaryFolder();
  const { pid } = spawnSync('true');
  const unfinished = (of: number | string, host: string): string => `.${NAME}.${of}.${host}.tmp`;
  const others = [unfinished(process.ppid, hostname()), unfinished(pid, 'another-machine'), '.notes.tmp'];
  for (const name of [unfinished(pid, hostname()), ...others]) writeFileSync(join(folder, name), '# half');
  writeReport(folder, RUN_ID, 'md', 'whole\n');
  expect(readdirSync(folder).toSorted()).toEqual([...others, NAME].toSorted());
});

test('what can not be removed keeps no report from being written', () => {
  const folder = temporaryFolder();
  const left = `.${NAME}.${spawnSync('true').pid}.${hostname()}.tmp`;
  mkdirSync(join(folder, left));
  writeReport(folder, RUN_ID, 'md', 'whole\n');
  expect(readdirSync(folder).toSorted()).toEqual([left, NAME].toSorted());
});

test('a folder that is a file', () => {
  const folder = join(temporaryFolder(), 'reports');
  writeFileSync(folder, '');
  const write = (): string => writeReport(folder, RUN_ID, 'md', 'x');
  expect(write).toThrow(ReportError);
  expect(write).toThrow(/^The report .*multi_agent_consolidated_.*\.md could not be written: EEXIST/);
});

test('a place that is taken by a folder: the error has the path and the cause, and no unfinished file stays', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, NAME));
  let error: unknown;
  try {
    writeReport(folder, RUN_ID, 'md', 'x');
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ReportError);
  expect(error).toMatchObject({ name: 'ReportError', path: join(folder, NAME), cause: { code: 'EISDIR' } });
  expect(readdirSync(folder)).toEqual([NAME]);
});

test('an id that would leave the folder is refused', () => {
  const folder = temporaryFolder();
  expect(() => writeReport(folder, '../evil', 'md', 'x')).toThrow('"../evil" can\'t be part of a file name.');
  expect(readdirSync(folder)).toEqual([]);
});
