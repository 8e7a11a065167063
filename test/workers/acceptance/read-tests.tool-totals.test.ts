/** Counts against what the tools themselves say of the same run. The samples were recorded from the real tools. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTests } from '../../../workers/acceptance/read-tests.ts';

const sample = (name: string): string => readFileSync(new URL(`./samples/${name}`, import.meta.url), 'utf8');

interface Expected {
  /** What the sample itself says. */
  says: string;
  /** Total, passed, failed, skipped. */
  counts: [number, number, number, number];
  failed: string[];
}

async function found(text: string, isWhole = true): Promise<Omit<Expected, 'says'> & { format: string }> {
  const tests = await readTests(text, isWhole);
  const { total, passed, failed, skipped } = tests?.counts ?? {
    total: -1,
    passed: -1,
    failed: -1,
    skipped: -1,
  };
  const names = (tests?.cases ?? [])
    .filter(({ status }) => status === 'failed')
    .map(({ suite, name }) => (suite === '' ? name : `${suite} > ${name}`));
  return { format: tests?.format ?? 'none', counts: [total, passed, failed, skipped], failed: names };
}

const PYTEST_SAYS = '8 failed, 6 passed, 2 skipped, 1 xfailed, 1 xpassed, 2 errors, 7 subtests passed in';
const PYTEST_FAILED = [
  'test_a.py > TestUnit::test_sub (i=1)',
  'test_a.py > TestUnit::test_sub_msg [second part] (n=2)',
  'test_a.py > test_fixture [part] (i=1)',
  'test_a.py > test_fixture',
  'test_a.py > test_fixture_and_itself [inner]',
  'test_a.py > test_fixture_and_itself',
  'test_a.py > test_xpass_strict',
  'test_a.py > test_param[x - y]',
  'test_a.py > test_setup',
  'test_a.py > test_teardown',
];
const GO_FAILED = [
  'example.com/app/broken > the package could not be tested',
  'example.com/app/mainfails > the package could not be tested',
  'example.com/app/panics > TestPanics',
  'example.com/app/panics > TestPanics/inner',
  'example.com/app/parse > TestSub',
  'example.com/app/parse > TestSub/bad_name_here',
  'example.com/app/parse > TestSub/nest',
  'example.com/app/parse > TestSub/nest/deep',
  'example.com/app/parse > ExampleX',
];
const NODE_FAILED = [
  'fails',
  'with subtests > two',
  'parent ends early > cancelled child',
  'times out',
  'suite with broken hook > never run',
];
const VITEST_FAILED = [
  'a.test.ts > broken hook',
  'b.test.ts > the file could not be run',
  'c.test.ts > the file could not be run',
  'a.test.ts > fails',
  'a.test.ts > does not fail',
];
const JEST_FAILED = [
  'jt/a.test.js > fails',
  'jt/a.test.js > broken hook > never run',
  'jt/c.test.js > the file could not be run',
  'jt/b.test.js > the file could not be run',
];
const CARGO_FAILED = [
  'src/lib.rs > tests::does_not_panic',
  'src/lib.rs > tests::fails',
  'src/lib.rs > tests::result',
  'doc-tests of crate_x > src/lib.rs - double (line 5)',
];

const TOOLS: [string, Expected][] = [
  [
    // 2 disabled ones, and 2 of the others skipped.
    'gtest.xml',
    {
      says: 'tests="9" failures="2" disabled="2"',
      counts: [9, 3, 2, 4],
      failed: ['Foo > Fails', 'Numbers/Each > IsPositive/2'],
    },
  ],
  ['pytest-subtests-verbose.txt', { says: PYTEST_SAYS, counts: [20, 7, 10, 3], failed: PYTEST_FAILED }],
  ['pytest-subtests-quiet.txt', { says: PYTEST_SAYS, counts: [20, 7, 10, 3], failed: PYTEST_FAILED }],
  [
    // It counts each subtest, and names their tests only.
    'pytest-subtests-junit.xml',
    {
      says: 'errors="2" failures="8" skipped="3" tests="27"',
      counts: [17, 4, 10, 3],
      failed: [
        'test_a.TestUnit > test_sub',
        'test_a.TestUnit > test_sub_msg',
        'test_a > test_fixture',
        'test_a > test_fixture_and_itself',
        'test_a > test_xpass_strict',
        'test_a > test_setup',
        'test_a > test_teardown',
        'test_a > test_param[x - y]',
      ],
    },
  ],
  ['pytest-collection.txt', { says: '1 error in', counts: [1, 0, 1, 0], failed: ['test_b.py > test_b.py'] }],
  [
    // 4 failed and 3 cancelled, 3 skipped and 3 to do.
    'node-test-kinds.tap',
    {
      says: '# tests 16\n# suites 3\n# pass 3\n# fail 4\n# cancelled 3\n# skipped 3\n# todo 3\n',
      counts: [16, 3, 7, 6],
      failed: [...NODE_FAILED, 'with subtests', 'parent ends early'],
    },
  ],
  [
    'node-test-kinds-spec.txt',
    {
      says: 'ℹ tests 16\nℹ suites 3\nℹ pass 3\nℹ fail 4\nℹ cancelled 3\nℹ skipped 3\nℹ todo 3\n',
      counts: [16, 3, 7, 6],
      failed: NODE_FAILED,
    },
  ],
  [
    // Tests with subtests are suites there, and a skipped suite is a test.
    'node-test-kinds-junit.xml',
    { says: '<!-- tests 16 -->', counts: [15, 3, 5, 7], failed: NODE_FAILED },
  ],
  [
    'node-test-unloaded-spec.txt',
    { says: 'ℹ fail 1\n', counts: [1, 0, 1, 0], failed: ['/home/ada/project/b.test.mjs'] },
  ],
  ['go-kinds-verbose.txt', { says: 'FAIL\n', counts: [17, 6, 9, 2], failed: GO_FAILED }],
  ['go-kinds.jsonl', { says: '"Action":"fail"', counts: [17, 6, 9, 2], failed: GO_FAILED }],
  [
    'cargo-kinds.txt',
    { says: '2 passed; 3 failed; 2 ignored; 0 measured', counts: [15, 8, 4, 3], failed: CARGO_FAILED },
  ],
  [
    'cargo-quiet.txt',
    {
      says: '2 passed; 3 failed; 2 ignored; 0 measured',
      counts: [15, 8, 4, 3],
      failed: CARGO_FAILED.map((name) => name.split(' > ')[1] ?? ''),
    },
  ],
  [
    'cargo-bench.txt',
    { says: '0 passed; 0 failed; 0 ignored; 1 measured', counts: [1, 1, 0, 0], failed: [] },
  ],
  [
    'cargo-abort.txt',
    {
      says: 'signal: 6, SIGABRT',
      counts: [1, 0, 1, 0],
      failed: ['tests/it.rs > the test program ended before its tests'],
    },
  ],
  [
    // 3 suites that could not be run and 1 error outside of the tests are counted too.
    'vitest-kinds.txt',
    {
      says: 'Tests  2 failed | 5 passed | 1 expected fail | 4 skipped | 1 todo (13)\n     Errors  1 error',
      counts: [17, 6, 6, 5],
      failed: [...VITEST_FAILED, 'an error outside of the tests'],
    },
  ],
  [
    'vitest-kinds-junit.xml',
    {
      says: 'tests="16" failures="5" errors="0"',
      counts: [16, 6, 5, 5],
      failed: VITEST_FAILED.map((name) => name.replace(/(.*) > the file .*/, '$1 > $1')),
    },
  ],
  [
    'vitest-kinds.tap',
    {
      says: 'not ok 8 - broken hook',
      counts: [16, 6, 5, 5],
      failed: VITEST_FAILED.map((name) => name.replace(/ > the file .*/, '')),
    },
  ],
  [
    // It says nothing of a suite that could not be run in a file that could.
    'vitest-kinds-json.txt',
    {
      says: '"numTotalTests":13,"numPassedTests":6,"numFailedTests":2,"numPendingTests":4,"numTodoTests":1',
      counts: [15, 6, 4, 5],
      failed: VITEST_FAILED.slice(1).map((name) => `/home/ada/project/${name}`),
    },
  ],
  [
    // 2 files that could not be run are counted too.
    'jest-kinds.txt',
    {
      says: 'Tests:       2 failed, 1 skipped, 1 todo, 3 passed, 7 total',
      counts: [9, 3, 4, 2],
      failed: JEST_FAILED,
    },
  ],
  [
    'jest-kinds-json.txt',
    {
      says: '"numRuntimeErrorTestSuites":2,"numTodoTests":1,"numTotalTestSuites":3,"numTotalTests":7',
      counts: [9, 3, 4, 2],
      failed: JEST_FAILED.map((name) => `/home/ada/project/${name}`),
    },
  ],
  [
    // Its one test that is still to do is a case like those that passed, and counted nowhere.
    'jest-junit.xml',
    {
      says: 'tests="6" failures="2" errors="0"',
      counts: [6, 3, 2, 1],
      failed: ['fails > fails', 'broken hook never run > broken hook never run'],
    },
  ],
  [
    'mocha-xunit.xml',
    {
      says: 'tests="6" failures="0" errors="2" skipped="2"',
      counts: [7, 2, 2, 3],
      failed: ['fails', 'broken hook > "before all" hook for "never run"'],
    },
  ],
  [
    // The skipped ones are no cases there.
    'mocha-junit.xml',
    {
      says: 'tests="7" failures="2" skipped="3"',
      counts: [7, 2, 2, 3],
      failed: [
        'fails > fails',
        '"before all" hook for "never run" > broken hook "before all" hook for "never run"',
      ],
    },
  ],
  [
    'mocha.tap',
    {
      says: '# pass 2\n# fail 2\n1..7\n',
      counts: [7, 2, 2, 3],
      failed: ['fails', 'broken hook "before all" hook for "never run"'],
    },
  ],
  // ava counts a test that is still to do as failed.
  ['ava.tap', { says: '# skip 1\n# fail 3\n', counts: [6, 2, 2, 2], failed: ['fails', 'no assertions'] }],
  // tape counts what fails and is still to do as passed.
  [
    'tape.tap',
    { says: '# pass  3\n# fail  2\n', counts: [5, 2, 2, 1], failed: ['numbers', 'plan != count'] },
  ],
  [
    'node-tap.tap',
    {
      says: '# { total: 9, pass: 3, fail: 3, todo: 2, skip: 1 }',
      counts: [9, 3, 3, 3],
      failed: ['fails', 'sub > inner fails', 'planned > test count(1) != plan(3)'],
    },
  ],
  [
    'qunit.tap',
    { says: '# pass 2\n# skip 1\n# todo 1\n# fail 1\n', counts: [5, 2, 1, 2], failed: ['fails'] },
  ],
  ['bats.tap', { says: '1..3', counts: [3, 1, 1, 1], failed: ['fails'] }],
  ['perl-short.tap', { says: '1..3', counts: [3, 1, 2, 0], failed: ['the plan of its tests'] }],
  ['perl-unplanned.tap', { says: 'ok 1 - one', counts: [2, 1, 1, 0], failed: ['no plan of its tests'] }],
  [
    // prove calls 2 of the 3 tests of b.t failed; it counts a group as one test.
    'prove-verbose.txt',
    {
      says: 'Files=5, Tests=8,',
      counts: [12, 5, 5, 2],
      failed: [
        't/a.t > fails',
        't/a.t > sub > inner fails',
        't/b.t > the plan of its tests',
        't/c.t > no plan of its tests',
      ],
    },
  ],
];

test.each(TOOLS)('%s', async (file, { says, counts, failed }) => {
  const text = sample(file);
  expect(text).toContain(says);
  const read = await found(text);
  expect(read.counts).toEqual(counts);
  expect(read.failed.toSorted()).toEqual(failed.toSorted());
});

describe('a plan of TAP', () => {
  const V = 'TAP version 13\n';
  test.each<[string, string, Expected['counts'], string[]]>([
    ['is fulfilled', `${V}1..2\nok 1 - a\nok 2 - b\n`, [2, 2, 0, 0], []],
    ['is fulfilled at the end', `${V}ok 1 - a\nok 2 - b\n1..2\n`, [2, 2, 0, 0], []],
    ['is not fulfilled', `${V}1..4\nok 1 - a\n`, [4, 1, 3, 0], ['the plan of its tests']],
    ['is more than fulfilled', `${V}1..1\nok 1 - a\nok 2 - b\n`, [3, 2, 1, 0], ['the plan of its tests']],
    ['is not there', `${V}ok 1 - a\nok 2 - b\n`, [3, 2, 1, 0], ['no plan of its tests']],
    ['is not there, and no version', 'ok 1 - a\nok 2 - b\n', [3, 2, 1, 0], ['no plan of its tests']],
    ['is not there, and no test', V, [1, 0, 1, 0], ['no plan of its tests']],
    ['is broken off', `${V}1..4\nok 1 - a\nBail out! no database\n`, [2, 1, 1, 0], ['Bail out!']],
    ['is none', '1..0 # SKIP no database\n', [0, 0, 0, 0], []],
    [
      'of a group is not fulfilled',
      '# Subtest: a\n    1..3\n    ok 1 - x\nnot ok 1 - a\n1..1\n',
      [3, 1, 2, 0],
      ['a > the plan of its tests'],
    ],
    ['of several programs', '1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n', [3, 3, 0, 0], []],
    [
      'of several programs, the last of which died',
      `${V}ok 1 - a\n1..1\n${V}ok 1 - b\n`,
      [3, 2, 1, 0],
      ['no plan of its tests'],
    ],
    ['is too large', `1..99999999999999999999\nok 1\n`, [2, 1, 1, 0], ['the plan of its tests']],
    [
      'has tests to do and skipped ones',
      '1..3\nnot ok 1 - a # TODO later\nok 2 - b # TODO\nok 3 - c # SKIP\n',
      [3, 0, 0, 3],
      [],
    ],
  ])('%s', async (_, text, counts, failed) => {
    expect(await found(text)).toEqual({ format: 'tap', counts, failed });
  });

  test('is not judged by the end of an output', async () => {
    expect((await found('ok 7 - a\nok 8 - b\n1..8\n', false)).counts).toEqual([2, 2, 0, 0]);
  });
});

describe('JUnit XML', () => {
  const suite = (attributes: string, cases: string): string =>
    `<testsuite ${attributes}>${cases}</testsuite>`;
  test.each<[string, string, Expected['counts']]>([
    ['status="notrun"', suite('', '<testcase name="a" status="notrun"/>'), [1, 0, 0, 1]],
    ['result="suppressed"', suite('', '<testcase name="a" result="suppressed"/>'), [1, 0, 0, 1]],
    ['status="disabled"', suite('', '<testcase name="a" status="disabled"/>'), [1, 0, 0, 1]],
    [
      'status="run" result="skipped"',
      suite('', '<testcase name="a" status="run" result="skipped"/>'),
      [1, 0, 0, 1],
    ],
    ['status="fail"', suite('', '<testcase name="a" status="fail"/>'), [1, 0, 1, 0]],
    ['<skipped/>', suite('', '<testcase name="a"><skipped/></testcase>'), [1, 0, 0, 1]],
    [
      'a failure of what is still to be done',
      suite('', '<testcase name="a"><skipped type="todo"/><failure/></testcase>'),
      [1, 0, 0, 1],
    ],
    [
      'a failure beside something skipped',
      suite('', '<testcase name="a"><failure/><skipped/></testcase>'),
      [1, 0, 1, 0],
    ],
    [
      'a test that passed when it was run again',
      suite('', '<testcase name="a"><flakyFailure message="once"/><flakyError/></testcase>'),
      [1, 1, 0, 0],
    ],
    [
      'a test that failed each time',
      suite('', '<testcase name="a"><failure/><rerunFailure/><rerunFailure/></testcase>'),
      [1, 0, 1, 0],
    ],
    ['an error of the suite', suite('tests="0"', '<error message="no database"/>'), [1, 0, 1, 0]],
    [
      'suites in suites',
      `<testsuites tests="3" failures="1">${suite('tests="3" failures="1"', `<testcase name="a"/>${suite('tests="2" failures="1"', '<testcase name="b"/><testcase name="c"><failure/></testcase>')}`)}</testsuites>`,
      [3, 2, 1, 0],
    ],
    [
      'more failures than cases that failed',
      suite('tests="2" failures="1"', '<testcase name="a"/><testcase name="b"/>'),
      [2, 1, 1, 0],
    ],
    [
      'fewer failures than cases that failed',
      suite('tests="2" failures="0"', '<testcase name="a"/><testcase name="b"><error/></testcase>'),
      [2, 1, 1, 0],
    ],
    [
      'figures that no suite has',
      suite('tests="1" failures="-3" skipped="9"', '<testcase name="a"/>'),
      [1, 1, 0, 0],
    ],
  ])('%s', async (_, xml, counts) => {
    expect((await found(xml)).counts).toEqual(counts);
  });
});

describe('pytest', () => {
  test.each([
    [
      'of pytest-subtests',
      't/test_a.py::T::test_x [part] (i=1) SUBFAIL          [ 50%]',
      'T::test_x [part] (i=1)',
    ],
    [
      'of pytest-subtests, in short',
      '[part] (i=1) SUBFAIL t/test_a.py::T::test_x - E: no',
      'T::test_x [part] (i=1)',
    ],
    [
      'with parameters in parentheses',
      "SUBFAILED(name='a b', n=(1, 2)) t/test_a.py::test_x - E",
      "test_x (name='a b', n=(1, 2))",
    ],
    ['of pytest-xdist', '[gw1] [ 50%] FAILED t/test_a.py::test_x ', 'test_x'],
    ['without a message', 'SUBFAILED t/test_a.py::test_x', 'test_x'],
  ])('a line %s names what failed', async (_, line, name) => {
    const { counts, failed } = await found(`${line}\n= 1 failed, 1 passed, 3 subtests passed in 0.10s =\n`);
    expect(failed).toEqual([`t/test_a.py > ${name}`]);
    expect(counts).toEqual([2, 1, 1, 0]);
  });

  test('a test whose subtests failed is not named as passed', async () => {
    const tests = await readTests(sample('pytest-subtests-verbose.txt'));
    const passed = tests?.cases.filter(({ status }) => status === 'passed').map(({ name }) => name);
    expect(passed).toEqual(['TestUnit::test_all_fine', 'test_xpass', 'test_param[a b]', 'test_param[c::d]']);
  });

  test('words of plugins are no tests', async () => {
    const summary = '=== 1 passed, 2 rerun, 3 snapshots updated, 4 deselected in 61.02s (0:01:01) ===\n';
    expect((await found(summary)).counts).toEqual([1, 1, 0, 0]);
  });
});

test('a TAP subtest that begins and does not end is a failure', async () => {
  const text = 'TAP version 13\nok 1 - a\n# Subtest: b\n    ok 1 - deep\n';
  expect((await found(text))?.counts).toEqual([4, 2, 2, 0]);
});

describe('go test', () => {
  test('a test that did not end has failed with its package', async () => {
    const text =
      '=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\npanic: test timed out after 1s\nFAIL\texample.com/a\t1.003s\nFAIL\n';
    expect(await found(text)).toEqual({
      format: 'go',
      counts: [2, 1, 1, 0],
      failed: ['example.com/a > TestB'],
    });
  });

  test('a test that did not end has failed also where the output breaks off', async () => {
    expect(await found('=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n')).toEqual({
      format: 'go',
      counts: [2, 1, 1, 0],
      failed: ['TestB'],
    });
  });

  const event = (Action: string, Test?: string, Package = 'a', Output?: string): string =>
    `${JSON.stringify({ Action, Package, Test, Output })}\n`;

  test.each([
    ['after a panic', event('fail')],
    ['after a time limit that ends the command', ''],
  ])('an event of a test that has no end is a failure %s', async (_, end) => {
    const text = [
      event('run', 'TestA') + event('pass', 'TestA'),
      event('run', 'TestB') + event('run', 'TestB/deep') + event('output', 'TestB/deep', 'a', 'panic: oh\n'),
      event('run', 'TestC', 'c') + event('pass', 'TestC', 'c') + event('pass', undefined, 'c'),
      end,
    ];
    expect(await found(text.join(''))).toEqual({
      format: 'go-json',
      counts: [4, 2, 2, 0],
      failed: ['a > TestB', 'a > TestB/deep'],
    });
  });

  test('a package that could not be built is named where only text says so', async () => {
    const text =
      '{"Action":"pass","Package":"a","Test":"TestA"}\n{"Action":"pass","Package":"a"}\nFAIL\tb [build failed]\n';
    expect(await found(text)).toEqual({
      format: 'go-json',
      counts: [2, 1, 1, 0],
      failed: ['b > the package could not be tested'],
    });
  });
});
