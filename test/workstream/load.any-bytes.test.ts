/** Whatever is in the files: loading and planning give definitions and problems, and never throw or hang. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/domain/json.ts';
import type { LoadedFolder } from '../../src/domain/plan.ts';
import { copyOf } from '../../src/domain/workstream.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { formatPlan } from '../../src/plan/render.ts';
import { select } from '../../src/plan/select.ts';
import { loadFolder } from '../../src/workstream/load.ts';
import { parse } from '../../src/workstream/parse.ts';
import { newRun } from '../kit/make-workstream.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { anyFile } from './any-file.ts';

/** Folders of three files each, in all parts together. More with the variable MILLRACE_TEST_CASES. */
const FOLDERS = Number(process.env['MILLRACE_TEST_CASES'] ?? 3_400);

/** In order of their names. */
const NAMES = ['-rf.json', '__proto__.json', 'ws-a\n\u202e.json'] as const;

/** Ids and globs as somebody may type them. */
const typed = fc.constantFrom(
  '-rf',
  '../../etc',
  'constructor',
  '__proto__',
  'toString',
  'ws-*',
  '[',
  '!(',
  '{a,b',
  '**',
  'a'.repeat(300),
  '\\',
  '',
  'ws-a\n\u202e',
);

/** Every object in it is a plain one, however its names are. */
function checkPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  for (const child of Object.values(value)) checkPlain(child);
}

function checkLoaded({ workstreams, broken, problems, files }: LoadedFolder): void {
  expect(files).toBe(NAMES.length);
  const ids = [...workstreams, ...broken].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id } of workstreams) expect(id).toMatch(/^[a-z0-9][a-z0-9-]*$/);
  expect(broken.length === 0).toBe(!problems.some(({ severity }) => severity === 'error'));
  for (const { line, column } of problems)
    expect(line === null || (line >= 1 && (column ?? 0) >= 1)).toBe(true);
  for (const { failure } of broken)
    if (failure.reason === 'invalid-workstream') expect(failure.problems.length).toBeGreaterThan(0);
  const copies = workstreams.map((workstream) => copyOf(workstream));
  expect(structuredClone(copies)).toEqual(copies);
  expect(JSON.parse(JSON.stringify(workstreams))).toEqual(JSON.parse(JSON.stringify(copies)));
  checkPlain(copies);
}

/** Planning loses nothing and adds nothing, and every form of the plan can be made. */
function checkPlanned(loaded: LoadedFolder): void {
  const plan = makePlan(loaded, new Map());
  const before = [...loaded.workstreams, ...loaded.broken].map(({ id }) => id);
  const after = [...plan.workstreams, ...plan.broken].map(({ id }) => id);
  expect(after.toSorted()).toEqual(before.toSorted());
  for (const format of ['text', 'mermaid', 'dot'] as const)
    expect(formatPlan(newRun(plan), format)).not.toBe('');
  expect(JSON.parse(formatPlan(newRun(plan), 'json'))).toHaveProperty('version');
}

/** In parts, so that none takes long; the machine may be busy all the same. */
const PARTS = 4;
const MINUTES_MS = 600_000;

test.each(Array.from({ length: PARTS }, (_, part) => part + 1))(
  'whatever is in the files, loading gives definitions and problems and never throws: part %i',
  () => {
    const start = temporaryFolder();
    const folder = join(start, 'workstreams');
    mkdirSync(folder);
    const contents = fc.tuple(anyFile, anyFile, anyFile);
    fc.assert(
      fc.property(contents, typed, fc.nat(), (all, id, n) => {
        for (const [index, name] of NAMES.entries()) writeFileSync(join(folder, name), all[index] ?? '');
        const loaded = loadFolder('workstreams', { cwd: start });
        checkLoaded(loaded);
        if (n % 4 === 0) checkPlanned(loaded);
        const { loaded: chosen, unmatched } = select(loaded, [id], true);
        expect(chosen.workstreams.length + chosen.broken.length > 0 || unmatched.length > 0).toBe(true);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: Math.ceil(FOLDERS / PARTS) },
    );
    rmSync(folder, { recursive: true });
  },
  MINUTES_MS,
);

function keysIn(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, child) => sum + keysIn(child), own);
}

test('what is JSON is read as JSON.parse does, with or without comments', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', '// c', '/* "[{ */'), (json, comment) => {
      expect(parse(`${json}\n${comment}`)).toEqual({
        ok: true,
        value: JSON.parse(json),
        keys: keysIn(JSON.parse(json)),
      });
    }),
    { numRuns: 300 },
  );
});
