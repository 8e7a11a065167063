/** Results are taken over where nothing that they depend on has changed, and only there. */
import { hash } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FolderResultCache } from '../../src/cache/result-cache.ts';
import { CachedProject, changesOf, type Execution, keptOf } from '../kit/cached-project.ts';
import { customTool, moduleStep, runStep } from '../kit/definitions.ts';
import { noSmallDisk, smallDisk } from '../kit/small-disk.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A project with one input. */
function project(files: Record<string, string> = {}): CachedProject {
  const made = new CachedProject();
  made.write({ 'in/a.csv': '1,2', ...files });
  return made;
}

test('a result is taken over as it was where nothing has changed', async () => {
  const here = project();
  const result = { metadata: { output: { sum: 3 }, metrics: { rows: 1 } }, warnings: ['odd'] };
  expect(keptOf(await here.run({ result }))).toBe('kept');
  const { taken } = await here.run({ result });
  expect(taken?.result).toMatchObject({
    runId: 'ma-run-20260102-030405',
    durationSeconds: 1,
    warnings: ['odd'],
    metadata: { output: { sum: 3 }, metrics: { rows: 1 } },
  });
  expect(taken?.restored).toEqual([]);
});

test('nothing is taken over by a workstream that has not been kept', async () => {
  const here = project();
  await here.run();
  expect(changesOf(await here.run({ workstream: { id: 'ws-b' } }))).toEqual([]);
});

describe('what has changed is named', () => {
  const asked: Execution = { workstream: { cache: { inputs: ['in/**', 'one.txt'], env: ['SEED'] } } };

  test.each<[string, (here: CachedProject) => void, string[]]>([
    ['an input', (here) => here.write({ 'in/a.csv': '1,3' }), ['input in/a.csv changed']],
    ['a new input', (here) => here.write({ 'in/deep/b.csv': '' }), ['input in/deep/b.csv was added']],
    ['a removed input', (here) => rmSync(join(here.folder, 'in/a.csv')), ['input in/a.csv was removed']],
    ['an input that was missing', (here) => here.write({ 'one.txt': '' }), ['input one.txt was added']],
    [
      'an input that can be executed now',
      (here) => here.chmod('in/a.csv', 0o755),
      ['input in/a.csv changed'],
    ],
  ])('%s', async (_, change, changes) => {
    const here = project();
    await here.run(asked);
    change(here);
    expect(changesOf(await here.run(asked))).toEqual(changes);
    expect(changesOf(await here.run(asked))).toBeNull();
  });

  test.each<[string, Execution, Execution, string[]]>([
    ['the definition', {}, { workstream: { hash: 'other' } }, ['its definition changed']],
    ['the output of a dependency', dependsOn({ b: 1 }), dependsOn({ b: 2 }), ['the output of ws-b changed']],
    [
      'how a tool is called',
      { tools: { x: customTool(['sh', '-c', 'true']) } },
      { tools: { x: customTool(['sh', '-c', 'false']) } },
      ['tool x changed'],
    ],
  ])('%s', async (_, before, now, changes) => {
    const here = project();
    await here.run(before);
    expect(changesOf(await here.run(now))).toEqual(changes);
  });

  test('a file that a dependency made', async () => {
    const here = project({ 'out/b.bin': 'x' });
    const outputsOf = (id: string): string[] => (id === 'ws-b' ? ['out/*.bin'] : []);
    await here.run(dependsOn(null), { outputsOf });
    here.write({ 'out/b.bin': 'y' });
    expect(changesOf(await here.run(dependsOn(null), { outputsOf }))).toEqual([
      'file out/b.bin of ws-b changed',
    ]);
  });

  test('an environment variable, of which no value is kept', async () => {
    const here = project();
    process.env['SEED'] = 'the-value-of-seed';
    await here.run(asked);
    process.env['SEED'] = 'another-value';
    expect(changesOf(await here.run(asked))).toEqual(['env SEED differs']);
    delete process.env['SEED'];
    expect(changesOf(await here.run(asked))).toEqual(['env SEED differs']);
    const texts = here.cached().map((path) => readFileSync(path, 'latin1'));
    expect(texts.filter((text) => /the-value-of-seed|another-value/.test(text))).toEqual([]);
  });

  test('the shell of a step, and the command of a gate', async () => {
    const here = project();
    const execution: Execution = {
      workstream: {
        steps: [runStep('true')],
        testGates: [{ type: 'GATE_UNIT', required: true, blocking: true }],
      },
    };
    await here.run(execution, { commands: { shell: 'sh', gates: { GATE_UNIT: 'a' } } });
    const now = await here.run(execution, { commands: { shell: 'bash', gates: { GATE_UNIT: 'b' } } });
    expect(changesOf(now)).toEqual(['the shell changed', 'gate GATE_UNIT changed']);
  });

  function dependsOn(output: object | null): Execution {
    return {
      workstream: { dependsOn: [{ id: 'ws-b', when: 'completed' }] },
      dependencies: { 'ws-b': JSON.parse(JSON.stringify(output)) },
    };
  }
});

describe('a module', () => {
  const FILES = {
    'tasks/main.ts':
      "import { two } from './two.js';\nimport left from 'left';\nexport default () => [two, left];",
    'tasks/two.ts': "import data from './data.json' with { type: 'json' };\nexport const two = data;",
    'tasks/data.json': '{ "two": 2 }',
    'tasks/other.ts': 'export {};',
    'tsconfig.json': '{ "compilerOptions": { "target": "es2022" } }',
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{ "lockfileVersion": 3 }',
    'node_modules/left/package.json': '{ "name": "left", "version": "1.0.0", "main": "left.js" }',
    'node_modules/left/left.js': 'module.exports = 1;',
  };
  const steps = (here: CachedProject): Execution => ({
    workstream: { steps: [moduleStep(join(here.folder, 'tasks/main.ts'))] },
  });

  test.each<[string, Record<string, string>, string[] | null]>([
    ['itself', { 'tasks/main.ts': `${FILES['tasks/main.ts']}\n//` }, ['module tasks/main.ts changed']],
    ['an import of an import', { 'tasks/data.json': '{ "two": 3 }' }, ['module tasks/data.json changed']],
    ['a file beside it', { 'tasks/other.ts': 'export const a = 1;' }, null],
    [
      'a package',
      { 'node_modules/left/package.json': '{ "version": "2.0.0", "main": "left.js" }' },
      ['package left changed'],
    ],
    [
      'the lockfile',
      { 'package-lock.json': '{ "lockfileVersion": 2 }' },
      ['lockfile package-lock.json changed'],
    ],
    [
      'its tsconfig.json',
      { 'tsconfig.json': '{ "compilerOptions": { "target": "es5" } }' },
      ['settings of module tasks/main.ts changed'],
    ],
    ['what is compiled from it', { 'tasks/two.js': 'export const two = 2;' }, null],
    [
      'another lockfile',
      { 'node_modules/.package-lock.json': '{}' },
      ['lockfile node_modules/.package-lock.json was added', 'lockfile package-lock.json was removed'],
    ],
  ])('%s', async (_, change, changes) => {
    const here = project(FILES);
    await here.run(steps(here));
    expect(changesOf(await here.run(steps(here)))).toBeNull();
    here.write(change);
    expect(changesOf(await here.run(steps(here)))).toEqual(changes);
  });

  test('a package that is a link to a folder of the project is followed', async () => {
    const here = project({
      ...FILES,
      'packages/own/index.js': 'export default 1;',
      'packages/own/package.json': '{ "type": "module" }',
    });
    rmSync(join(here.folder, 'node_modules/left'), { recursive: true });
    symlinkSync('../packages/own', join(here.folder, 'node_modules/left'));
    await here.run(steps(here));
    here.write({ 'packages/own/index.js': 'export default 2;' });
    expect(changesOf(await here.run(steps(here)))).toEqual(['module packages/own/index.js changed']);
  });

  test('is executed where an import of it can not be found, and says so', async () => {
    const here = project({ ...FILES, 'tasks/main.ts': "import './missing.ts';" });
    expect(keptOf(await here.run(steps(here)))).toMatch(
      /^what tasks\/main\.ts imports is not known: \S*tasks\/main\.ts:1: Could not resolve "\.\/missing\.ts"/,
    );
  });
});

describe('inputs', () => {
  const inputs = (...patterns: string[]): Execution => ({
    workstream: { cache: { inputs: patterns, env: [] } },
  });

  test.each<[string, string[], string, boolean]>([
    ['a file that a pattern leaves out', ['in/**', '!in/b.csv'], 'in/b.csv', true],
    ['a folder is all that is in it', ['in'], 'in/deep/er/b.csv', false],
    ['a hidden file', ['in/**'], 'in/.hidden', false],
    ['what Millrace writes', ['**'], 'reports/run.md', true],
    ['what git writes', ['**'], '.git/index', true],
    ['packages that are installed', ['**'], 'node_modules/a/index.js', true],
    ['a path with a dot', ['./in/a.csv'], 'in/b.csv', true],
  ])('%s', async (_, patterns, path, isTaken) => {
    const here = project();
    await here.run(inputs(...patterns));
    here.write({ [path]: 'x' });
    expect(changesOf(await here.run(inputs(...patterns))) === null).toBe(isTaken);
  });

  test.each<[string, string[], string, boolean]>([
    ['a file whose name is written like a glob', ['in/run (1).csv'], 'in/run (1).csv', false],
    ['a folder whose name is', ['in/run {2}'], 'in/run {2}/a.csv', false],
    ['one that is left out', ['in', '!in/run (1).csv'], 'in/run (1).csv', true],
    ['all but what is left out', ['!out/**'], 'in/a.csv', false],
    ['all but names of a kind', ['in/!(*.tmp)'], 'in/run (1).csv', false],
    ['a pattern that begins with such a kind', ['!(out)/*.csv'], 'in/run (1).csv', false],
  ])('are also named by paths as they stand: %s', async (_, patterns, path, isTaken) => {
    const here = project({ [path]: '1' });
    await here.run(inputs(...patterns));
    here.write({ [path]: '2' });
    expect(changesOf(await here.run(inputs(...patterns))) === null).toBe(isTaken);
  });

  test('a link is what it leads to, and a circle of links ends', async () => {
    const here = project({ 'data/a.csv': '1' });
    symlinkSync('../data', join(here.folder, 'in/link'));
    symlinkSync('.', join(here.folder, 'in/circle'));
    await here.run();
    expect(changesOf(await here.run())).toBeNull();
    here.write({ 'data/a.csv': '2' });
    expect(changesOf(await here.run())?.[0]).toMatch(/^input in\/.*a\.csv changed$/);
  });

  test('one that is no file leaves it undecided', async () => {
    const here = project();
    mkdirSync(join(here.folder, 'in/socket'));
    expect(keptOf(await here.run(inputs('in/socket', 'in/a.csv')))).toBe('kept');
    symlinkSync('/dev/null', join(here.folder, 'in/device'));
    expect(keptOf(await here.run(inputs('in/device')))).toMatch(/in\/device is no regular file$/);
  });

  test('a change that leaves size and time of modification as they were is noticed', async () => {
    const here = project();
    const path = join(here.folder, 'in/a.csv');
    const at = new Date(Date.now() - 60_000);
    utimesSync(path, at, at);
    await here.run();
    await here.run();
    writeFileSync(path, '9,9');
    utimesSync(path, at, at);
    expect(changesOf(await here.run())).toEqual(['input in/a.csv changed']);
  });

  test('going back to an earlier input finds the earlier result', async () => {
    const here = project();
    await here.run({ result: { metadata: { output: 1 } } });
    here.write({ 'in/a.csv': 'other' });
    await here.run({ result: { metadata: { output: 2 } } });
    here.write({ 'in/a.csv': '1,2' });
    expect((await here.run()).taken?.result.metadata.output).toBe(1);
  });

  test('many differences are counted', async () => {
    const here = project();
    await here.run();
    here.write(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`in/${n}.csv`, ''])));
    expect(changesOf(await here.run())?.at(-1)).toBe('and 10 more');
  });
});

describe('files that it made', () => {
  const makes = { 'out/a.txt': 'made', 'out/deep/b.sh': '#!/bin/sh' };

  test.each<[string, (here: CachedProject) => void, string[]]>([
    ['stay where they are as they were', () => undefined, []],
    [
      'are put back where they were removed',
      (here) => rmSync(join(here.folder, 'out'), { recursive: true }),
      ['out/a.txt', 'out/deep/b.sh'],
    ],
    ['are put back where they were changed', (here) => here.write({ 'out/a.txt': 'by hand' }), ['out/a.txt']],
    ['have their permissions again', (here) => here.chmod('out/deep/b.sh', 0o600), ['out/deep/b.sh']],
  ])('%s', async (_, change, restored) => {
    const here = project();
    const during = (): void => here.write(makes);
    const after = (): void => here.chmod('out/deep/b.sh', 0o755);
    expect(keptOf(await here.run({ makes, during, after }))).toBe('kept');
    change(here);
    expect((await here.run({ makes })).taken?.restored.toSorted()).toEqual(restored);
    expect([here.read('out/a.txt'), here.read('out/deep/b.sh'), here.mode('out/deep/b.sh')]).toEqual([
      'made',
      '#!/bin/sh',
      0o755,
    ]);
    expect(here.cached().filter((path) => path.endsWith('.tmp'))).toEqual([]);
  });

  const blobOf = (here: CachedProject): string =>
    here.cached().find((path) => path.includes('/outputs/')) ?? '';

  test.each<[string, (path: string) => void]>([
    ['damaged', (path) => writeFileSync(path, 'maDe')],
    ['cut', (path) => writeFileSync(path, '')],
    ['removed', (path) => rmSync(path)],
  ])('it is executed where what was kept of them was %s, and kept again', async (_, damage) => {
    const here = project();
    const one = { makes: { 'out/a.txt': 'made' } };
    await here.run(one);
    damage(blobOf(here));
    rmSync(join(here.folder, 'out'), { recursive: true });
    const decided = await here.run(one);
    expect(keptOf(decided)).toMatch(/^the kept content of out\/a\.txt (was damaged|is missing)$/);
    rmSync(join(here.folder, 'out'), { recursive: true });
    expect((await here.run(one)).taken?.restored).toEqual(['out/a.txt']);
  });

  test('nothing is written outside the project', async () => {
    const here = project();
    const elsewhere = temporaryFolder();
    const one = { makes: { 'out/a.txt': 'made' } };
    await here.run(one);
    rmSync(join(here.folder, 'out'), { recursive: true });
    symlinkSync(elsewhere, join(here.folder, 'out'));
    const decided = await here.decide(here.open(), {
      ...one,
      makes: {},
      workstream: { outputs: ['out/a.txt'] },
    });
    expect(keptOf(decided)).toMatch(/none of its outputs/);
    expect(statSync(join(elsewhere, 'a.txt'), { throwIfNoEntry: false })).toBeUndefined();
  });

  test('a link in the place of one is replaced, and what it leads to stays', async () => {
    const here = project({ 'precious.txt': 'precious' });
    const one = { makes: { 'out/a.txt': 'made' } };
    await here.run(one);
    rmSync(join(here.folder, 'out/a.txt'));
    symlinkSync('../precious.txt', join(here.folder, 'out/a.txt'));
    expect((await here.run(one)).taken?.restored).toEqual(['out/a.txt']);
    expect([here.read('out/a.txt'), here.read('precious.txt')]).toEqual(['made', 'precious']);
  });

  test('another name of one is not changed with it', async () => {
    const here = project();
    const one = { makes: { 'out/a.txt': 'made' } };
    await here.run(one);
    here.write({ 'out/a.txt': 'by hand' });
    linkSync(join(here.folder, 'out/a.txt'), join(here.folder, 'copy.txt'));
    await here.run(one);
    expect([here.read('out/a.txt'), here.read('copy.txt')]).toEqual(['made', 'by hand']);
  });

  test('a large one is restored byte by byte', async () => {
    const here = project();
    const content = 'abcdefgh'.repeat(400_000);
    await here.run({ makes: { 'out/large': content } });
    rmSync(join(here.folder, 'out/large'));
    await here.run({ makes: { 'out/large': content } });
    expect(here.read('out/large') === content).toBe(true);
  });
});

describe('a result is not kept', () => {
  test.each<[string, Execution, string | RegExp]>([
    ['of a failure', { result: { status: 'failed' } }, 'not-kept'],
    [
      'that has commits',
      { result: { commitsCreated: ['abc'] } },
      'it made commits, which can not be taken over',
    ],
    [
      'that modified more than it makes',
      { result: { filesModified: ['src/x.ts'] } },
      'it modified src/x.ts, which its outputs do not name',
    ],
    [
      'without the outputs that it declares',
      { workstream: { outputs: ['out/*'] } },
      'none of its outputs was there when it had ended',
    ],
    [
      'of which an output has no hash',
      {
        result: {
          metadata: { outputs: [{ path: 'big', bytes: 9, sha256: null, problem: 'it is too large' }] },
        },
      },
      "its output big can't be kept: it is too large",
    ],
  ])('%s', async (_, execution, note) => {
    const here = project();
    expect(keptOf(await here.run(execution))).toBe(note);
    expect(changesOf(await here.run(execution))).toEqual([]);
  });

  test('of which an input changed while it was executed', async () => {
    const here = project();
    const decided = await here.run({ during: () => here.write({ 'in/a.csv': 'other' }) });
    expect(keptOf(decided)).toBe('input in/a.csv changed while it was executed');
  });

  test('of which an output changed after it was made', async () => {
    const here = project();
    const decided = await here.run({ makes: { a: '1' }, after: () => here.write({ a: '2' }) });
    expect(keptOf(decided)).toBe('a was changed after it had been made');
  });
});

describe('what is in the state folder', () => {
  test.each<[string, (path: string) => void]>([
    ['cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
    [
      'changed',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"output":1', '"output":2')),
    ],
    ['empty', (path) => writeFileSync(path, '')],
    ['removed', (path) => rmSync(path)],
  ])('is not used where a file of it was %s', async (_, damage) => {
    const here = project();
    await here.run({ result: { metadata: { output: 1 } } });
    for (const path of here.cached()) damage(path);
    expect((await here.run({ result: { metadata: { output: 1 } } })).taken).toBeNull();
    expect((await here.run()).taken?.result.metadata.output).toBe(1);
  });

  test('is of use to a version of Millrace that knows its shape, and to no other', async () => {
    const here = project();
    await here.run({ result: { metadata: { output: 1 } } });
    const path = join(here.cacheFolder, 'results/ws-a.json');
    const [, json = ''] = readFileSync(path, 'utf8').split('\n');
    // As each version does: it puts another file in the place of the one that is there.
    const write = (text: string): void => {
      writeFileSync(`${path}.new`, `${hash('sha256', text)} 0.0.0\n${text}`);
      renameSync(`${path}.new`, path);
    };
    write(json);
    expect((await here.run()).taken?.result.metadata.output).toBe(1);
    write(json.replaceAll('"status"', '"state"'));
    expect((await here.run()).taken).toBeNull();
  });

  test('has results without secrets', async () => {
    const here = project();
    const redact: Parameters<CachedProject['open']>[0] = {
      redact: (result) => ({ ...result, metadata: { ...result.metadata, output: '***' } }),
    };
    await here.run({ result: { metadata: { output: 'secret' } } }, redact);
    expect((await here.run()).taken?.result.metadata.output).toBe('***');
    expect(here.cached().some((path) => readFileSync(path, 'latin1').includes('"secret"'))).toBe(false);
  });

  test('is for this user only', async () => {
    const here = project();
    await here.run({ makes: { 'out/a': '1' } });
    expect(here.cached().filter((path) => (statSync(path).mode & 0o077) !== 0)).toEqual([]);
  });

  test('is written and not read without taking over', async () => {
    const here = project();
    await here.run({ result: { metadata: { output: 1 } } });
    expect((await here.run({ result: { metadata: { output: 2 } } }, { takesOver: false })).taken).toBeNull();
    expect((await here.run()).taken?.result.metadata.output).toBe(2);
  });

  test('may be written by two runs at the same time', async () => {
    const here = project();
    const caches = [here.open(), here.open()];
    const ids = Array.from({ length: 20 }, (_, n) => `ws-${n}`);
    const run = (cache: FolderResultCache): Promise<unknown> =>
      Promise.all(ids.map((id) => here.decide(cache, { workstream: { id }, makes: { [`out/${id}`]: id } })));
    await Promise.all(caches.map(run));
    await Promise.all(caches.map((cache) => cache.close()));
    const third = here.open();
    for (const id of ids)
      expect(
        (await here.decide(third, { workstream: { id }, makes: { [`out/${id}`]: id } })).taken,
      ).not.toBeNull();
  });

  test.skipIf(noSmallDisk !== null)('may be full: that is told once, and nothing is kept', async () => {
    const here = project();
    const folder = join(smallDisk(1), 'cache');
    const makes = { large: 'x'.repeat(2_000_000) };
    const cache = here.open({ folder });
    for (const id of ['ws-a', 'ws-b'])
      expect(keptOf(await here.decide(cache, { workstream: { id }, makes }))).toMatch(/ENOSPC/);
    await cache.close();
    expect(here.told).toEqual([expect.stringMatching(/^Results can't be kept in .*ENOSPC/)]);
  });

  test('is pruned to its size: what was not used for longest goes first', async () => {
    const here = project();
    const one = (id: string): Execution => ({
      workstream: { id },
      makes: { [`out/${id}`]: id.repeat(50_000) },
    });
    for (const [index, id] of ['ws-a', 'ws-b', 'ws-c'].entries()) {
      await here.run(one(id));
      const at = new Date(Date.now() - (10 - index) * 86_400_000);
      for (const path of here.cached())
        if (statSync(path).mtimeMs > Date.now() - 60_000) utimesSync(path, at, at);
    }
    // Used again: now ws-b is the one that was not used for longest.
    expect((await here.run(one('ws-a'))).taken).not.toBeNull();
    await here.run(one('ws-d'), { mostMb: 0.78 });
    const kept = await Promise.all(
      ['ws-a', 'ws-b', 'ws-c', 'ws-d'].map(async (id) => (await here.run(one(id))).taken !== null),
    );
    expect(kept).toEqual([true, false, true, true]);
  });
});
