/** Checks types, with the compiler of the project itself: the one that its own build and its editor use. */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { getTsconfig } from 'get-tsconfig';

/** What is wrong in a file, or with checking it. */
export interface TypeProblem {
  /** Absolute path. */
  file: string;
  /** Counted from 1; null where the whole file is meant. */
  line: number | null;
  column: number | null;
  message: string;
}

/** For a module without a tsconfig.json: what an agent accepts. */
const WITHOUT_TSCONFIG = ['--module', 'nodenext', '--allowImportingTsExtensions', '--skipLibCheck'];

/** What no setting of a tsconfig.json may change: nothing is written, and the output can be read. */
const ALWAYS = [
  '--noEmit',
  '--composite',
  'false',
  '--incremental',
  'false',
  '--pretty',
  'false',
  '--listFiles',
];

/** An error of tsc with its place. */
const PLACED = /^(.+)\((\d+),(\d+)\): error (TS\d+: .*)$/;
const UNPLACED = /^error (TS\d+: .*)$/;
const MOST_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * Has tsc check the projects of TypeScript modules, each the files of one tsconfig.json, and waits for it. A module that
 * its tsconfig.json does not include, or for which there is no tsc, is a problem of its own: it was not checked.
 * @param modules absolute paths.
 */
export function checkTypes(modules: readonly string[]): TypeProblem[] {
  const projects = modules.map((module) => getTsconfig(module)?.path ?? null);
  return [...new Set(projects)].flatMap((project) =>
    checkProject(
      project,
      modules.filter((_, index) => projects[index] === project),
    ),
  );
}

function checkProject(tsconfig: string | null, modules: readonly string[]): TypeProblem[] {
  const folder = dirname(tsconfig ?? modules[0] ?? '.');
  const tsc = compilerFrom(folder);
  if (tsc === null) return modules.map((file) => unchecked(file, NO_COMPILER));
  const what = tsconfig === null ? [...WITHOUT_TSCONFIG, ...modules] : ['--project', tsconfig];
  const { stdout, stderr, error } = spawnSync(process.execPath, [tsc, ...what, ...ALWAYS], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT_BYTES,
  });
  if (error !== undefined) return modules.map((file) => unchecked(file, `tsc failed: ${error.message}`));
  const lines = stdout.split('\n');
  const problems = lines.flatMap((line) => problemIn(line, tsconfig ?? folder, folder));
  const checked = new Set(lines.filter((line) => isAbsolute(line)));
  const missed = modules.filter((module) => !checked.has(module) && !checked.has(realpathSync(module)));
  const why = stderr.trim() || `${tsconfig ?? 'tsc'} does not include it`;
  return [...problems, ...missed.map((file) => unchecked(file, why))];
}

const NO_COMPILER =
  'there is no TypeScript compiler in its project: install one there with `npm install --save-dev typescript`';

const unchecked = (file: string, why: string): TypeProblem => ({
  file,
  line: null,
  column: null,
  message: `its types were not checked: ${why}`,
});

/** The program `tsc` of the package that files in a folder would import; null for none. */
function compilerFrom(folder: string): string | null {
  try {
    const path = createRequire(resolve(folder, 'x.js')).resolve('typescript/package.json');
    const { bin }: { bin?: Record<string, string> } = Object(JSON.parse(readFileSync(path, 'utf8')));
    const tsc = bin?.['tsc'];
    return tsc === undefined ? null : resolve(dirname(path), tsc);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** The lines below an error explain it, and are indented. */
function problemIn(line: string, project: string, folder: string): TypeProblem[] {
  const [, path = '', row = '', column = '', message = ''] = PLACED.exec(line) ?? [];
  if (path !== '')
    return [{ file: resolve(folder, path), line: Number(row), column: Number(column), message }];
  const [, general] = UNPLACED.exec(line) ?? [];
  return general === undefined ? [] : [{ file: project, line: null, column: null, message: general }];
}
