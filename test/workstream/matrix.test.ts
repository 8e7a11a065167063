import { describe, expect, test } from 'vitest';
import type { Workstream } from '../../src/domain/workstream.ts';
import { readDefinition } from '../../src/workstream/definition.ts';
import { loadFiles, problemsOf } from './load-files.ts';

const module = (input: unknown) => [{ module: './task.mjs', input }];

function members(definition: object): Workstream[] {
  const loaded = loadFiles({ 'a.json': { id: 'ws-m', ...definition }, 'task.mjs': '' });
  expect(loaded.problems).toEqual([]);
  return loaded.workstreams;
}

describe('expansion', () => {
  test('counts the combinations, the last name fastest', () => {
    const all = members({ matrix: { size: ['s', 'l'], seed: [1, 2, 3] }, steps: [{ run: 'x' }] });
    expect(all.map(({ id, base, matrix }) => [id, base, matrix])).toEqual([
      ['ws-m-size-s-seed-1', 'ws-m', { size: 's', seed: 1 }],
      ['ws-m-size-s-seed-2', 'ws-m', { size: 's', seed: 2 }],
      ['ws-m-size-s-seed-3', 'ws-m', { size: 's', seed: 3 }],
      ['ws-m-size-l-seed-1', 'ws-m', { size: 'l', seed: 1 }],
      ['ws-m-size-l-seed-2', 'ws-m', { size: 'l', seed: 2 }],
      ['ws-m-size-l-seed-3', 'ws-m', { size: 'l', seed: 3 }],
    ]);
  });

  test('a value keeps its type where it is the whole text', () => {
    const [only] = members({
      matrix: { n: [5], on: [true], none: [null], list: [[1, { a: 2 }]], text: ['t'] },
      title: '${{ matrix.n }}',
      description: 'n=${{matrix.n}}, on=${{ matrix.on }}, list=${{  matrix.list  }}, ${{ matrix.text }}',
      steps: module({
        n: '${{ matrix.n }}',
        deep: [{ on: '${{matrix.on}}' }, '${{ matrix.none }}', ' ${{ matrix.n }}'],
        list: '${{ matrix.list }}',
        '${{ matrix.n }}': '${{ other }} $ {{ matrix.n }}',
      }),
    });
    expect(only?.title).toBe('5');
    expect(only?.description).toBe('n=5, on=true, list=[1,{"a":2}], t');
    expect(only?.steps[0]).toMatchObject({
      input: {
        n: 5,
        deep: [{ on: true }, null, ' 5'],
        list: [1, { a: 2 }],
        '${{ matrix.n }}': '${{ other }} $ {{ matrix.n }}',
      },
    });
  });

  test('a value that looks like a reference is not replaced again', () => {
    const [only] = members({
      matrix: { a: ['${{ matrix.b }} $&'], b: [1] },
      steps: module('<${{ matrix.a }}>'),
    });
    expect(only?.steps[0]).toMatchObject({ input: '<${{ matrix.b }} $&>' });
  });

  test('values reach every step as environment variables, and what the step says itself wins', () => {
    const [only] = members({
      matrix: { 'node-version': [20], Text: ['a b'], o: [{ a: 1 }], none: [null] },
      steps: [{ run: 'x' }, { command: ['y'], env: { MATRIX_TEXT: 'own', PORT: 80, ON: true } }],
    });
    const values = {
      MATRIX_NODE_VERSION: '20',
      MATRIX_TEXT: 'a b',
      MATRIX_O: '{"a":1}',
      MATRIX_NONE: 'null',
    };
    expect(only?.steps.map(({ env }) => env)).toEqual([
      values,
      { ...values, MATRIX_TEXT: 'own', PORT: '80', ON: 'true' },
    ]);
  });

  test('a tool gets them too', () => {
    const [only] = members({ matrix: { n: [1] }, tool: 'aider', tasks: ['Do it'] });
    expect(only?.steps).toMatchObject([{ kind: 'tool', tool: 'aider', env: { MATRIX_N: '1' } }]);
  });

  test('a member without a title is called by its own id', () => {
    expect(members({ matrix: { n: [1, 2] }, steps: [{ run: 'x' }] }).map(({ title }) => title)).toEqual([
      'ws-m-n-1',
      'ws-m-n-2',
    ]);
  });

  test('members have different hashes, that change with their own values only', () => {
    const hashes = (values: number[]) =>
      members({ matrix: { n: values }, steps: [{ run: 'x' }] }).map(({ hash }) => hash);
    expect(new Set(hashes([1, 2, 3])).size).toBe(3);
    expect(hashes([1, 2])).toEqual(hashes([1, 2]));
    expect(hashes([0, 2, 1]).slice(1)).toEqual(hashes([2, 1]));
  });

  test('10,000 members are made, 10,001 are a problem', () => {
    const values = (length: number) => Array.from({ length }, (_, index) => index);
    expect(members({ matrix: { a: values(100), b: values(100) }, steps: [{ run: 'x' }] })).toHaveLength(
      10_000,
    );
    const many = JSON.stringify({ id: 'a', steps: [{ run: 'x' }], matrix: { a: values(10_001) } });
    expect(problemsOf(many)).toEqual([
      '1:42: error: matrix: it makes 10001 workstreams; expected at most 10000',
    ]);
    const huge = {
      id: 'a',
      steps: [{ run: 'x' }],
      matrix: { a: values(1e5), b: values(1e5), c: values(1e5) },
    };
    expect(problemsOf(huge)).toEqual([
      '1:42: error: matrix: it makes 1000000000000000 workstreams; expected at most 10000',
    ]);
  });
});

describe('mistakes', () => {
  const problems = (fields: object): string[] =>
    problemsOf({ id: 'a', steps: [{ run: 'x' }], ...fields }).map((line) =>
      line.replace(/^1:\d+: error: /, ''),
    );

  test.each([
    [{ matrix: 5 }, 'matrix: expected an object, found 5'],
    [{ matrix: {} }, 'matrix: expected at least one name with its values, found an object'],
    [{ matrix: { a: [] } }, 'matrix.a: expected at least 1 element, found an empty array'],
    [{ matrix: { a: 1 } }, 'matrix.a: expected an array, found 1'],
    [
      { matrix: { 'a b': [1] } },
      'matrix["a b"]: expected a name of letters, digits, "_" and "-", a letter first',
    ],
    [
      { matrix: { 'a-b': [1], A_b: [2] } },
      'matrix.A_b: "a-b" and "A_b" would both be in the environment variable MATRIX_A_B',
    ],
    [{ matrix: { a: ['b\0'] } }, 'matrix.a[0]: expected text without NUL characters'],
    [
      { matrix: { a: [1], include: [5] } },
      'matrix.include[0]: expected an object of values by name, found 5',
    ],
    [{ matrix: { a: [1], exclude: [{}] } }, 'matrix.exclude[0]: expected at least one name with its value'],
    [
      { matrix: { seed: [1], exclude: [{ sead: 1 }] } },
      'matrix.exclude[0].sead: nothing can be excluded by "sead", which is no list of the matrix; did you mean "seed"?',
    ],
    [
      { matrix: { a: [1], include: [{ b: 2 }], exclude: [{ b: 2 }] } },
      'matrix.exclude[0].b: nothing can be excluded by "b", which is no list of the matrix; the matrix has lists of a',
    ],
    [{ matrix: { a: [1, 2], exclude: [{ a: 1 }, { a: 2 }] } }, 'matrix: exclude leaves nothing of it'],
    [
      { matrix: { a: [1], include: [{ 'b c': 2 }] } },
      'matrix.include[0]["b c"]: expected a name of letters, digits, "_" and "-", a letter first',
    ],
    [
      { matrix: { a: [1], include: [{ A: 2 }] } },
      'matrix.include[0].A: "a" and "A" would both be in the environment variable MATRIX_A',
    ],
    [
      { matrix: { a: [1], include: [{ b: 'c\0' }] } },
      'matrix.include[0].b: expected text without NUL characters',
    ],
    [
      { matrix: { seed: [1] }, title: '${{ matrix.sead }}' },
      'title: the matrix has no "sead"; did you mean matrix.seed?',
    ],
    [{ matrix: { seed: [1] }, title: '${{ matrix.x.y }}' }, 'title: the matrix has no "x.y"; it has seed'],
    [
      { matrix: { seed: [1] }, title: '${{ matrix.constructor }}' },
      'title: the matrix has no "constructor"; it has seed',
    ],
    [
      { matrix: { a: [1] }, files_scope: ['src/${{ matrix.a }}'] },
      'files_scope[0]: matrix values are only put into title, description, outputs, the inputs of cache and the input of a step',
    ],
    [
      { matrix: { a: [1] }, acceptance_tests: [{ run: 'x ${{ matrix.a }}' }] },
      'acceptance_tests[0].run: matrix values are never put into commands; use the environment variable $MATRIX_A',
    ],
  ])('%j', (fields, expected) => {
    expect(problems(fields)).toEqual([expected]);
  });

  test('__proto__ is no name', () => {
    expect(
      problemsOf('{"id": "a", "steps": [{"run": "x"}], "matrix": {"a": [1], "__proto__": [1]}}'),
    ).toEqual(['1:59: error: matrix.__proto__: this name is reserved; expected another']);
  });

  test.each([
    [
      { run: 'x ${{ matrix.node-v }}' },
      'steps[0].run: matrix values are never put into commands; use the environment variable $MATRIX_NODE_V',
    ],
    [
      { command: ['x', '${{ matrix.node-v }}'] },
      'steps[0].command[1]: matrix values are never put into commands; use the environment variable $MATRIX_NODE_V',
    ],
    [
      { tool: 'x', tasks: ['${{ matrix.node-v }}'] },
      'steps[0].tasks[0]: matrix values are never put into commands; use the environment variable $MATRIX_NODE_V',
    ],
    [
      { run: 'x', env: { A: '${{ matrix.node-v }}' } },
      'steps[0].env.A: matrix values are never put into commands; use the environment variable $MATRIX_NODE_V',
    ],
    [
      { module: './${{ matrix.node-v }}.mjs' },
      'steps[0].module: matrix values are only put into title, description, outputs, the inputs of cache and the input of a step',
    ],
  ])('%j', (step, expected) => {
    expect(problems({ matrix: { 'node-v': [1] }, steps: [step] })).toEqual([expected]);
  });

  test('have their place', () => {
    const text = '{"id": "a", "matrix": {"n": [1]}, "steps": [\n {"run": "echo ${{ matrix.n }}"}]}';
    expect(problemsOf(text)).toEqual([
      '2:10: error: steps[0].run: matrix values are never put into commands; use the environment variable $MATRIX_N',
    ]);
  });

  test('a reference without a matrix is a warning where it would be replaced, and nothing in a command', () => {
    const loaded = loadFiles({
      'a.json': { id: 'a', title: '${{ matrix.n }}', steps: [{ run: "echo '${{ matrix.n }}'" }] },
    });
    expect(loaded.problems.map(({ severity, path, message }) => [severity, path, message])).toEqual([
      ['warning', 'title', 'there is no matrix, so the reference to matrix.n stays as it is'],
    ]);
    expect(loaded.workstreams[0]).toMatchObject({ id: 'a', title: '${{ matrix.n }}', matrix: null });
  });

  test('a folder becomes at most a million workstreams', () => {
    const surroundings = {
      folders: { file: '/', start: '/' },
      isFile: () => true,
      tools: null,
      count: { workstreams: 999_998 },
    };
    const raw = { id: 'ws-a', matrix: { n: [1, 2, 3] }, steps: [{ run: 'x' }] };
    const tooMany = readDefinition(raw, { file: 'a.json', position: 0 }, surroundings);
    expect([tooMany.workstreams, tooMany.findings]).toEqual([
      [],
      [
        {
          severity: 'error',
          path: ['matrix'],
          at: 'value',
          message: 'the folder would have more than 1000000 workstreams',
        },
      ],
    ]);
    const fits = { ...raw, matrix: { n: [1, 2] } };
    expect(readDefinition(fits, { file: 'a.json', position: 0 }, surroundings).workstreams).toHaveLength(2);
    expect(surroundings.count.workstreams).toBe(1_000_000);
  });
});
