/** The result files of an acceptance test. Only files that were written while it ran count: others are stale. */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { readRegular, UnusableFile } from '../../src/os/regular-file.ts';
import type { Redactor } from '../../src/secrets/redactor.ts';
import { CaseList, NO_TESTS, plus } from './formats/format.ts';
import { type FoundTests, readTests } from './read-tests.ts';
import { READ_LIMIT } from './test-log.ts';

const MAX_FILES = 1000;

/** Clocks of file systems may lag behind that of the process. */
const CLOCK_LAG_MS = 2000;

/** Most names in one warning. */
const NAMES = 3;

export interface ReportedTests {
  /** All files together; null where none could be used. */
  tests: FoundTests | null;
  warnings: string[];
  /** What the test wrote and could not be read, or did not write, as the end of a sentence; null for nothing. */
  unreadable: string | null;
}

/** Why a file was not used, as the end of a sentence. */
interface Unused {
  why: string;
  /** Whether the test wrote it: then something that it says is not known. */
  isWritten: boolean;
}

const unused = (why: string, isWritten: boolean): Unused => ({ why, isWritten });

export class ReportFiles {
  readonly #pattern: string;
  readonly #workspace: string;
  readonly #startMs = Date.now();
  readonly #redactor: Redactor;
  readonly #before: ReadonlyMap<string, string>;

  private constructor(
    pattern: string,
    workspace: string,
    redactor: Redactor,
    before: ReadonlyMap<string, string>,
  ) {
    this.#pattern = pattern;
    this.#workspace = workspace;
    this.#redactor = redactor;
    this.#before = before;
  }

  /** Records which files exist before the test is started. */
  static async before(pattern: string, workspace: string, redactor: Redactor): Promise<ReportFiles> {
    const before = new Map<string, string>();
    for (const path of await find(pattern, workspace)) {
      const stats = await statsOf(resolve(workspace, path));
      if (stats !== null) before.set(path, stamp(stats));
    }
    return new ReportFiles(pattern, workspace, redactor, before);
  }

  /** Reads what the test has written. Each reason not to use a file is a warning. */
  async after(): Promise<ReportedTests> {
    const paths = await find(this.#pattern, this.#workspace);
    const byReason = new Map<string, string[]>();
    const found: FoundTests[] = [];
    let unreadable: string | null = null;
    for (const path of paths.slice(0, MAX_FILES)) {
      const tests = await this.#read(path);
      if ('why' in tests) {
        byReason.set(tests.why, [...(byReason.get(tests.why) ?? []), path]);
        if (tests.isWritten) unreadable ??= `its report ${path} ${tests.why.replace(/\.$/, '')}`;
      } else found.push(tests);
    }
    const warnings = [...byReason].map(([why, names]) => `${list(names)} ${why}`);
    if (paths.length === 0) warnings.push(`no file matches its report ${this.#pattern}.`);
    if (paths.length > MAX_FILES) {
      warnings.push(`${paths.length} files match its report; only the first ${MAX_FILES} were read.`);
    }
    const tests = found.length === 0 ? null : addUp(found);
    if (tests === null) unreadable ??= `it did not write its report ${this.#pattern}`;
    return { tests, warnings, unreadable };
  }

  async #read(path: string): Promise<FoundTests | Unused> {
    const absolute = resolve(this.#workspace, path);
    const stats = await statsOf(absolute);
    if (stats === null) return unused('was not written.', false);
    if (!stats.isFile()) return unused('is not a file and was not read.', true);
    const isOld = Number(stats.mtimeMs) < this.#startMs - CLOCK_LAG_MS;
    if (isOld || this.#before.get(path) === stamp(stats)) {
      return unused('is older than the start of the test and was ignored.', false);
    }
    const text = textOf(absolute);
    if (text === null)
      return unused(
        `is larger than ${READ_LIMIT / 2 ** 20} MiB or no file any more, and was not read.`,
        true,
      );
    const tests = await readTests(this.#redactor.text(text));
    return tests ?? unused('holds no test results that can be read.', true);
  }
}

/** Paths as they are shown, in order. A plain path is there whether or not there is such a file. */
async function find(pattern: string, workspace: string): Promise<string[]> {
  if (!isDynamicPattern(pattern)) return [pattern];
  const ignore = pattern.includes('node_modules') ? [] : ['**/node_modules/**'];
  const paths = await glob(pattern, {
    cwd: workspace,
    dot: true,
    followSymbolicLinks: false,
    expandDirectories: false,
    ignore: [...ignore, '**/.git/**'],
  });
  return paths.toSorted();
}

function textOf(path: string): string | null {
  try {
    return readRegular(path, READ_LIMIT).toString();
  } catch (error) {
    if (error instanceof UnusableFile || (error instanceof Error && 'code' in error)) return null;
    throw error;
  }
}

async function statsOf(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch {
    // Missing, or not readable for this user: either way it holds no results.
    return null;
  }
}

const stamp = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs} ${size} ${ino}`;

function list(names: string[]): string {
  const more = names.length > NAMES ? ` and ${names.length - NAMES} more, each` : '';
  return `its report ${names.slice(0, NAMES).join(', ')}${more}`;
}

/** Several results as one. The counts are known only where all of them are. */
function addUp(found: readonly FoundTests[]): FoundTests {
  const list = new CaseList();
  for (const { cases } of found) for (const one of cases) list.add(one);
  const isCounted = found.every(({ counts }) => counts !== null);
  return {
    format: [...new Set(found.map(({ format }) => format))].join(', '),
    counts: isCounted ? found.reduce((sum, { counts }) => plus(sum, counts ?? NO_TESTS), NO_TESTS) : null,
    cases: list.cases,
  };
}
