import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFolder } from '../../src/workstream/load.ts';
import { FolderError } from '../../src/workstream/read-file.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { loadFiles, problemLines } from './load-files.ts';

const work = (id: string) => ({ id, steps: [{ run: 'true' }] });

function thrownBy(action: () => unknown): FolderError {
  try {
    action();
  } catch (error) {
    if (error instanceof FolderError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the folder', () => {
  test('an empty one has no workstreams and no problems', () => {
    const { start, ...loaded } = loadFiles({});
    expect(start).not.toBe('');
    expect(loaded).toEqual({ workstreams: [], broken: [], problems: [], files: 0 });
  });

  test('a missing one is a FolderError that says what to do', () => {
    const start = temporaryFolder();
    const error = thrownBy(() => loadFolder('none', { cwd: start }));
    expect(error.kind).toBe('missing');
    expect(error.folder).toBe(join(start, 'none'));
    expect(error.message).toBe(
      `There is no folder ${start}/none. Make one with \`millrace init\`, or name another with --workstreams.`,
    );
  });

  test('a file in its place is a FolderError', () => {
    const start = temporaryFolder();
    writeFileSync(join(start, 'a.json'), '{}');
    const error = thrownBy(() => loadFolder('a.json', { cwd: start }));
    expect(error.kind).toBe('not-a-folder');
    expect(error.message).toBe(
      `${start}/a.json is a file, not a folder. Give --workstreams the folder it is in.`,
    );
  });

  test('one that links to itself is unreadable', () => {
    const start = temporaryFolder();
    symlinkSync(join(start, 'loop'), join(start, 'loop'));
    const error = thrownBy(() => loadFolder('loop', { cwd: start }));
    expect(error.kind).toBe('unreadable');
    expect(error.message).toBe(`The folder ${start}/loop can't be read. Check its permissions.`);
  });

  test('only *.json directly in it, by code unit, without dot files', () => {
    const start = temporaryFolder();
    mkdirSync(join(start, 'deeper'));
    for (const name of [
      'b.json',
      'B.json',
      'a.json',
      'ä.json',
      'notes.txt',
      '._a.json',
      '.json',
      'deeper/z.json',
    ]) {
      writeFileSync(join(start, name), JSON.stringify(work(`ws-${name.codePointAt(0) ?? 0}`)));
    }
    const loaded = loadFolder('.', { cwd: start });
    expect(loaded.workstreams.map(({ source }) => source.file)).toEqual([
      'B.json',
      'a.json',
      'b.json',
      'ä.json',
    ]);
    expect(loaded.files).toBe(4);
    expect(loaded.problems).toEqual([]);
  });

  test('paths are shown relative to the start folder below it and absolute elsewhere', () => {
    const start = temporaryFolder();
    mkdirSync(join(start, 'here'));
    mkdirSync(join(start, 'there'));
    writeFileSync(join(start, 'there', 'a.json'), JSON.stringify(work('ws-a')));
    const shown = (cwd: string): (string | undefined)[] =>
      loadFolder(join(start, 'there'), { cwd }).workstreams.map(({ source }) => source.file);
    expect(shown(start)).toEqual(['there/a.json']);
    expect(shown(join(start, 'here'))).toEqual([join(start, 'there', 'a.json')]);
  });
});

describe('what is no file of JSON', () => {
  test('a folder with such a name is a warning and nothing more', () => {
    const start = temporaryFolder();
    mkdirSync(join(start, 'x.json'));
    const loaded = loadFolder('.', { cwd: start });
    expect(problemLines(loaded)).toEqual(['x.json: warning: it is a folder; only files are read']);
    expect([loaded.broken, loaded.files]).toEqual([[], 0]);
  });

  test('a link to nothing, a link to itself and a pipe are broken and cost only themselves', () => {
    const start = temporaryFolder();
    symlinkSync('nowhere', join(start, 'dangling.json'));
    symlinkSync('loop.json', join(start, 'loop.json'));
    spawnSync('sh', ['-c', 'mkfifo pipe.json'], { cwd: start });
    writeFileSync(join(start, 'good.json'), JSON.stringify(work('ws-good')));
    const loaded = loadFolder('.', { cwd: start });
    expect(problemLines(loaded)).toEqual([
      'dangling.json: error: it is a symbolic link to a file that does not exist',
      'loop.json: error: it is a symbolic link that leads back to itself',
      'pipe.json: error: it is a pipe, socket or device, not a file',
    ]);
    expect(loaded.broken.map(({ id }) => id)).toEqual(['dangling', 'loop', 'pipe']);
    expect(loaded.broken[0]).toEqual({
      id: 'dangling',
      title: 'dangling',
      source: { file: 'dangling.json', position: 0 },
      failure: {
        reason: 'invalid-workstream',
        problems: ['dangling.json: error: it is a symbolic link to a file that does not exist'],
      },
    });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-good']);
  });

  test('a file that the system will not read is broken', () => {
    const start = temporaryFolder();
    // A regular file whose first byte can't be read, whoever asks.
    symlinkSync('/proc/self/mem', join(start, 'mem.json'));
    expect(problemLines(loadFolder('.', { cwd: start }))).toEqual([
      "mem.json: error: it can't be read (EIO)",
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('a file without read permission is broken', () => {
    const start = temporaryFolder();
    writeFileSync(join(start, 'a.json'), '{}');
    chmodSync(join(start, 'a.json'), 0);
    expect(problemLines(loadFolder('.', { cwd: start }))).toEqual([
      'a.json: error: there is no permission to read it',
    ]);
  });

  test('more than 256 MB is refused by its size', () => {
    const start = temporaryFolder();
    writeFileSync(join(start, 'big.json'), '');
    truncateSync(join(start, 'big.json'), 256 * 1024 * 1024 + 1);
    expect(problemLines(loadFolder('.', { cwd: start }))).toEqual([
      'big.json: error: it has 257 MB; at most 256 MB are read. Split it into several files',
    ]);
  });
});

describe('one or many in a file', () => {
  test('an array keeps positions, and a bad element costs only itself', () => {
    const loaded = loadFiles({ 'a.json': [work('ws-a'), { id: 'ws-b' }, 5, work('ws-d')] });
    expect(loaded.workstreams.map(({ id, source }) => [id, source.position])).toEqual([
      ['ws-a', 0],
      ['ws-d', 3],
    ]);
    expect(loaded.broken.map(({ id, source }) => [id, source.position])).toEqual([
      ['ws-b', 1],
      ['a[2]', 2],
    ]);
    expect(loaded.problems.map(({ workstreamId }) => workstreamId)).toEqual(['ws-b', 'a[2]']);
  });

  test('an empty array is a warning', () => {
    expect(problemLines(loadFiles({ 'a.json': ' []' }))).toEqual([
      'a.json:1:2: warning: there is no workstream in it',
    ]);
  });

  test('any other value is an error', () => {
    expect(problemLines(loadFiles({ 'a.json': '"text"', 'b.json': 'null' }))).toEqual([
      'a.json:1:1: error: expected a workstream or an array of them, found "text"',
      'b.json:1:1: error: expected a workstream or an array of them, found null',
    ]);
  });

  test('an id made from the file name gives way to a real one', () => {
    const loaded = loadFiles({ 'ws-a.json': 'nonsense', 'z.json': [work('ws-a'), 5], 'z[1].json': '?' });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-a']);
    expect(loaded.broken.map(({ id }) => id)).toEqual(['ws-a.json', 'z[1]', 'z[1].json']);
  });

  test('a file lists at most 20 problems, errors before warnings, and how many more there are', () => {
    const bad = Array.from({ length: 15 }, (_, index) => ({
      ...work(`ws-${index}`),
      colour: 'red',
      steps: 1,
    }));
    const loaded = loadFiles({ 'a.json': bad });
    const lines = problemLines(loaded);
    expect(lines).toHaveLength(21);
    expect(lines.filter((line) => line.includes(' error: '))).toHaveLength(15);
    expect(lines.at(-1)).toBe('a.json: warning: and 10 more problems');
    expect(loaded.broken).toHaveLength(15);
  });

  test('after a thousand problems only the first error of each workstream is looked for', () => {
    const names = Array.from({ length: 20 }, (_, index) => [`unknown-${index}`, 1]);
    const odd = Array.from({ length: 60 }, (_, index) => ({
      ...work(`ws-${index}`),
      ...Object.fromEntries(names),
    }));
    const text = JSON.stringify([...odd, { id: 5, title: 5, unknown: 5 }]);
    const loaded = loadFiles({ 'a.json': text });
    expect(loaded.workstreams).toHaveLength(60);
    expect(loaded.broken.map(({ failure }) => failure)).toEqual([
      {
        reason: 'invalid-workstream',
        problems: [
          `workstreams/a.json:1:${text.indexOf('"id":5') + 6}: error: id: expected a string, found 5`,
          'and 2 more problems',
        ],
        place: { file: 'workstreams/a.json', line: 1, column: text.indexOf('"id":5') + 6 },
      },
    ]);
    expect(problemLines(loaded)[20]).toBe('a.json: warning: and at least 981 more problems');
  });
});

describe('a tool that there is not', () => {
  const tools = { isKnown: (name: string) => name === 'claude', names: ['claude'] };

  test.each([
    [{ steps: [{ run: 'x' }, { tool: 'claud', tasks: ['a'] }] }, 'steps[1].tool', 'claud', 'claude'],
    [{ tool: 'Claude', tasks: ['a'] }, 'tool', 'Claude', 'claude'],
    [{ capability: 'coding', tasks: ['a'] }, 'capability', 'coding', undefined],
  ])('fails the workstream at its place: %j', (fields, path, tool, suggestion) => {
    const loaded = loadFiles({ 'a.json': { id: 'ws-a', ...fields } }, tools);
    expect(loaded.workstreams).toEqual([]);
    const failure = { reason: 'tool-not-found', tool, program: null };
    expect(loaded.broken.map((one) => one.failure)).toEqual([
      suggestion === undefined ? failure : { ...failure, suggestion },
    ]);
    expect(loaded.problems).toMatchObject([{ severity: 'error', path, line: 1 }]);
  });

  test('fails every member of a matrix, once in the list of problems', () => {
    const steps = [{ tool: 'none', tasks: ['a'] }];
    const loaded = loadFiles({ 'a.json': { id: 'ws-a', matrix: { n: [1, 2] }, steps } }, tools);
    expect(loaded.broken.map(({ id }) => id)).toEqual(['ws-a-n-1', 'ws-a-n-2']);
    expect(loaded.problems).toHaveLength(1);
  });

  test('is for the run to say where it names the tools', () => {
    const file = { id: 'ws-a', tool: 'none', tasks: ['a'] };
    expect(loadFiles({ 'a.json': file }).workstreams).toHaveLength(1);
    expect(loadFiles({ 'a.json': { ...file, tool: 'claude' } }, tools).workstreams).toHaveLength(1);
  });
});
