/** The index of all results spares reading the file of each, and never stands for a result that is there no more. */
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pruneResults } from '../../src/cache/result-cache.ts';
import { CachedProject, type Decided, type Execution } from '../kit/cached-project.ts';

const IDS = ['ws-a', 'ws-b', 'ws-c'];

/** A project in which each workstream was executed once, with its own id as output. */
async function executed(): Promise<CachedProject> {
  const here = new CachedProject();
  here.write({ 'in/a.csv': '1,2' });
  await run(here);
  return here;
}

/** Decides about all workstreams in one run. */
async function run(here: CachedProject): Promise<Decided[]> {
  const cache = here.open();
  const decided: Decided[] = [];
  for (const id of IDS)
    decided.push(await here.decide(cache, { workstream: { id }, result: { metadata: { output: id } } }));
  await cache.close();
  return decided;
}

const outputsOf = (decided: Decided[]): unknown[] =>
  decided.map(({ taken }) => taken?.result.metadata.output ?? null);
const indexOf = (here: CachedProject): string => join(here.cacheFolder, 'result-index');
const resultOf = (here: CachedProject, id: string): string => join(here.cacheFolder, `results/${id}.json`);

test('a result is taken from the index, also where its file can not be read any more', async () => {
  const here = await executed();
  for (const id of IDS) writeFileSync(resultOf(here, id), 'damaged');
  // That is seen only where the file is looked at: here no file took the place of another.
  expect(outputsOf(await run(here))).toEqual(IDS);
});

test('an index that is up to date is not written again', async () => {
  const here = await executed();
  const at = new Date('2026-01-01');
  utimesSync(indexOf(here), at, at);
  await run(here);
  expect(statSync(indexOf(here)).mtime).toEqual(at);
});

describe('results are found in their files where the index', () => {
  test.each<[string, (path: string) => void]>([
    ['was cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, 400))],
    ['has no more than its first line', (path) => writeFileSync(path, `${firstLine(path)}\n`)],
    ['was changed', (path) => replaceIn(path, '"output":"ws-b"', '"output":"ws-x"')],
    ['names another length of an entry', (path) => replaceIn(path, /,(\d+)\]/, ',1]')],
    ['is of another version', (path) => replaceIn(path, /^(\S+) \S+/, '$1 0.0.0')],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is text without lines', (path) => writeFileSync(path, 'x'.repeat(1000))],
    ['was removed', (path) => rmSync(path)],
  ])('%s, and it is made again', async (_, damage) => {
    const here = await executed();
    const whole = readFileSync(indexOf(here)).length;
    damage(indexOf(here));
    expect(outputsOf(await run(here))).toEqual(IDS);
    expect(readFileSync(indexOf(here)).length).toBe(whole);
    expect(outputsOf(await run(here))).toEqual(IDS);
  });
});

test('a result that was removed is not taken over, although the index has it', async () => {
  const here = await executed();
  rmSync(resultOf(here, 'ws-b'));
  expect(outputsOf(await run(here))).toEqual(['ws-a', null, 'ws-c']);
});

test('the newest result counts where a run was killed before it had written the index', async () => {
  const here = await executed();
  const before = join(here.folder, 'index-of-before');
  copyFileSync(indexOf(here), before);
  await here.run(
    { workstream: { id: 'ws-b' }, result: { metadata: { output: 'newest' } } },
    { takesOver: false },
  );
  copyFileSync(before, indexOf(here));
  expect(outputsOf(await run(here))).toEqual(['ws-a', 'newest', 'ws-c']);
});

test('a result that another run keeps meanwhile is found by a run that has read the index', async () => {
  const here = await executed();
  const cache = here.open();
  const asked = (id: string): Execution => ({ workstream: { id } });
  await here.decide(cache, asked('ws-a'));
  await here.run(
    { ...asked('ws-b'), result: { metadata: { output: 'of another run' } } },
    { takesOver: false },
  );
  cache.forget();
  expect(outputsOf([await here.decide(cache, asked('ws-b'))])).toEqual(['of another run']);
});

test('pruned results are not left in the index', async () => {
  const here = await executed();
  await pruneResults(here.cacheFolder, Date.now() + 60_000, true);
  expect(existsSync(indexOf(here))).toBe(true);
  await pruneResults(here.cacheFolder, Date.now() + 60_000, false);
  expect(existsSync(indexOf(here))).toBe(false);
});

function firstLine(path: string): string {
  return readFileSync(path, 'utf8').split('\n')[0] ?? '';
}

function replaceIn(path: string, text: string | RegExp, by: string): void {
  const before = readFileSync(path, 'utf8');
  const after = before.replace(text, by);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}
