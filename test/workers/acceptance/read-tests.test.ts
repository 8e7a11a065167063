/** Samples are what the tools printed; those of go are written after its documentation. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTests } from '../../../workers/acceptance/read-tests.ts';

const sample = (name: string): string => readFileSync(new URL(`./samples/${name}`, import.meta.url), 'utf8');

/** Total, passed, failed, skipped. */
type Figures = [number, number, number, number] | null;

const SAMPLES: [file: string, format: string, figures: Figures, failed: string[]][] = [
  ['node-test.tap', 'tap', [9, 5, 2, 2], ['parser > refuses text', 'throws']],
  ['node-test-spec.txt', 'node-test', [9, 5, 2, 2], ['parser > refuses text', 'throws']],
  ['node-test-spec-24.txt', 'node-test', [9, 5, 2, 2], ['parser > refuses text', 'throws']],
  ['node-test-junit.xml', 'junit', [8, 4, 2, 2], ['throws', 'parser > refuses text']],
  ['vitest.tap', 'tap', [6, 3, 1, 2], ['a.test.ts > parser > refuses text']],
  ['vitest-flat.tap', 'tap', [6, 3, 1, 2], ['a.test.ts > parser > refuses text']],
  ['vitest-json.txt', 'jest-json', [6, 3, 1, 2], ['/home/ada/project/a.test.ts > parser > refuses text']],
  ['vitest-junit.xml', 'junit', [6, 3, 1, 2], ['a.test.ts > parser > refuses text']],
  ['vitest.txt', 'vitest', [6, 3, 1, 2], ['a.test.ts > parser > refuses text']],
  ['vitest-verbose.txt', 'vitest', [6, 3, 1, 2], ['a.test.ts > parser > refuses text']],
  ['vitest-none.txt', 'vitest', [0, 0, 0, 0], []],
  ['jest-json.txt', 'jest-json', [6, 3, 1, 2], ['/home/ada/project/t/a.test.js > parser > refuses text']],
  ['jest.txt', 'jest', [6, 3, 1, 2], ['t/a.test.js > parser > refuses text']],
  ['jest-verbose.txt', 'jest', [6, 3, 1, 2], ['t/a.test.js > parser > refuses text']],
  ['jest-none.txt', 'jest', [0, 0, 0, 0], []],
  [
    'pytest.txt',
    'pytest',
    [7, 2, 3, 2],
    ['test_a.py > test_refuses', 'test_a.py > TestGroup::test_each[2]', 'test_a.py > test_error'],
  ],
  [
    'pytest-verbose.txt',
    'pytest',
    [7, 2, 3, 2],
    ['test_a.py > test_refuses', 'test_a.py > test_error', 'test_a.py > TestGroup::test_each[2]'],
  ],
  [
    'pytest-quiet.txt',
    'pytest',
    [7, 2, 3, 2],
    ['test_a.py > test_refuses', 'test_a.py > TestGroup::test_each[2]', 'test_a.py > test_error'],
  ],
  ['pytest-none.txt', 'pytest', [0, 0, 0, 0], []],
  [
    'pytest-junit.xml',
    'junit',
    [7, 2, 3, 2],
    ['test_a > test_refuses', 'test_a > test_error', 'test_a.TestGroup > test_each[2]'],
  ],
  ['cargo.txt', 'cargo', [4, 2, 1, 1], ['src/lib.rs > tests::fails']],
  [
    'go.txt',
    'go',
    null,
    ['example.com/app/parse > TestParse', 'example.com/app/parse > TestParse/empty_input'],
  ],
  [
    'go-verbose.txt',
    'go',
    [5, 1, 3, 1],
    [
      'example.com/app/parse > TestParse',
      'example.com/app/parse > TestParse/empty_input',
      'example.com/app/broken > the package could not be tested',
    ],
  ],
  ['go-none.txt', 'go', [0, 0, 0, 0], []],
  [
    'go.jsonl',
    'go-json',
    [4, 1, 2, 1],
    ['example.com/app/parse > TestParse', 'example.com/app/broken > the package could not be tested'],
  ],
];

async function summary(text: string): Promise<unknown> {
  const found = await readTests(text);
  if (found === null) return null;
  const { counts } = found;
  const failed = found.cases.filter(({ status }) => status === 'failed');
  return [
    found.format,
    counts === null ? null : [counts.total, counts.passed, counts.failed, counts.skipped],
    failed.map(({ suite, name }) => (suite === '' ? name : `${suite} > ${name}`)),
  ];
}

describe('what tests print', () => {
  test.each(SAMPLES)('%s is read', async (file, ...expected) => {
    expect(await summary(sample(file))).toEqual(expected);
  });

  test.each(SAMPLES)(
    '%s is read between noise, with colours and carriage returns',
    async (file, ...expected) => {
      const coloured = sample(file).replaceAll('passed', '\u001b[32mpassed\u001b[39m');
      const noisy = `> app@1.0.0 test\n> run {it} <now>\n\n${coloured}\n\u001b]8;;http://x\u0007link\u001b]8;;\u0007\nDone in 3.\n`;
      expect(await summary(noisy.replaceAll('\n', '\r\n'))).toEqual(expected);
    },
  );

  test.each([
    ['node-test.tap', '1 == 2\n/home/ada/project/a.test.mjs:5:3\nTestContext.<anonymous>'],
    ['node-test-spec.txt', 'AssertionError [ERR_ASSERTION]: 1 == 2\n        at TestContext'],
    ['node-test-spec-24.txt', 'AssertionError [ERR_ASSERTION]: 1 == 2'],
    ['node-test-junit.xml', '[Error [ERR_TEST_FAILURE]: wrong <kind> & more]'],
    ['vitest.tap', "expected 'a <b>' to be 'c & d'"],
    ['vitest-json.txt', "AssertionError: expected 'a <b>' to be 'c & d'"],
    ['vitest-junit.xml', "AssertionError: expected 'a <b>' to be 'c & d'"],
    ['vitest.txt', "AssertionError: expected 'a <b>' to be 'c & d'"],
    ['jest.txt', 'expect(received).toBe(expected)'],
    ['jest-verbose.txt', 'expect(received).toBe(expected)'],
    ['pytest.txt', "AssertionError: assert 'a' == 'b'"],
    ['pytest-junit.xml', "AssertionError: assert 'a' == 'b'"],
    ['cargo.txt', "thread 'tests::fails' (22561) panicked at src/lib.rs:10:18:"],
    ['go.txt', 'parse_test.go:12: got 3, want 4'],
    ['go.jsonl', '=== RUN   TestParse\n    parse_test.go:12: got 3, want 4'],
  ])('%s: the first failed case has its message', async (file, message) => {
    const found = await readTests(sample(file));
    const [first] = found?.cases ?? [];
    expect(first?.status).toBe('failed');
    expect(first?.message).toContain(message);
  });

  test('node:test: each failure has its own message, also of one name and of several runs', async () => {
    const run = (first: string, second: string): string => `▶ group
  ✖ bad (1ms)
✖ group (2ms)
✖ bad (1ms)
ℹ tests 2
ℹ fail 2

✖ failing tests:

test at a.mjs:1:1
✖ bad (1ms)
  Error: ${first}

test at a.mjs:2:1
✖ bad (1ms)
  Error: ${second}`;
    const found = await readTests(
      `${run('one', 'two')}\n${run('three', 'four')}\n✖ bad (1ms)\nℹ tests 1\nℹ fail 1\n`,
    );
    expect(found?.counts).toMatchObject({ failed: 5 });
    expect(found?.cases.map(({ suite, message }) => [suite, message])).toEqual([
      ['group', 'Error: one'],
      ['', 'Error: two'],
      ['group', 'Error: three'],
      ['', 'Error: four'],
      ['', null],
    ]);
  });

  test('cases have durations in seconds, and only the failed ones a message', async () => {
    const found = await readTests(sample('node-test.tap'));
    expect(found?.cases.find(({ name }) => name === 'one')).toEqual({
      suite: 'has subtests',
      name: 'one',
      status: 'passed',
      durationSeconds: 0.000316071,
      message: null,
    });
    const go = await readTests(sample('go-verbose.txt'));
    expect(go?.cases.find(({ name }) => name === 'TestNumber')?.durationSeconds).toBe(0.25);
  });

  test.each([
    '',
    'ok\n',
    'All tests passed in 3 minutes\n',
    '12 passengers in 1.2s\n',
    '{"a": 1}\n',
    '<html><body>1 passed</body></html>',
    'FAIL: something\n3 tests, 1 failed\n',
  ])('%j says nothing that is known', async (text) => {
    expect(await readTests(text)).toBeNull();
  });

  test('several runs in one output are added up', async () => {
    const printed = [
      '5 failed, 2 passed in 1.00s',
      '= no tests ran in 0.01s =',
      '3 passed, 9 warnings in 0.10s',
    ];
    expect(await summary(printed.join('\n'))).toEqual(['pytest', [10, 5, 5, 0], []]);
  });

  test('a TAP stream that bails out has a failed case', async () => {
    expect(await summary('TAP version 13\n1..3\nok 1 - a\nBail out! no database\n')).toEqual([
      'tap',
      [2, 1, 1, 0],
      ['Bail out!'],
    ]);
  });

  test('references in XML become characters', async () => {
    const xml =
      '<testsuite><testcase name="a &lt; &#x42; &#10;&amp;#67;"><failure><![CDATA[<x> &amp;]]></failure></testcase></testsuite>';
    const found = await readTests(xml);
    expect(found?.cases[0]).toMatchObject({ name: 'a < B \n&#67;', message: '<x> &amp;' });
  });
});

describe('results are bounded', () => {
  const suite = (failed: number, passed: number): string => {
    const long = 'n'.repeat(500);
    const fails = `<testcase name="${long}"><failure message="${'m'.repeat(5000)}"/></testcase>`.repeat(
      failed,
    );
    return `<testsuite>${'<testcase name="p"/>'.repeat(passed)}${fails}</testsuite>`;
  };

  test('to 200 failed cases and 1,000 in all, with all of them counted', async () => {
    const found = await readTests(suite(300, 2000));
    expect(found?.counts).toEqual({ total: 2300, passed: 2000, failed: 300, skipped: 0 });
    expect(found?.cases.length).toBe(1000);
    expect(found?.cases.filter(({ status }) => status === 'failed').length).toBe(200);
    expect(found?.cases[0]?.name.length).toBe(300);
    expect(found?.cases[0]?.message?.length).toBe(2000);
  });
});

test.each([
  '<testsuite><testcase name="a"/><testcase name="b"><fail',
  '<testsuites><testsuite name="x"><testcase name="a"/></testsuite><testsuite name="y"><testcase name="b"/>',
  '<testsuite><testcase name="a"/>\n',
])('JUnit XML that was cut off says nothing: %s', async (text) => {
  expect(await readTests(text)).toBeNull();
});

test('JUnit XML among other output is read from its first suite to the last', async () => {
  const text =
    'go > on\n<testsuite name="a > b" tests="0"/>\n<testsuite><testcase name="c"/></testsuite>\nx -> y';
  expect(await readTests(text)).toMatchObject({ format: 'junit', counts: { total: 1, passed: 1 } });
});

describe('hostile output', () => {
  const MB10 = 10_000_000;
  const repeated = (part: string): string => part.repeat(Math.ceil(MB10 / part.length));
  const entities = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 12 }, (_, i) => `<!ENTITY a${i} "${`&a${i === 0 ? '' : i - 1};`.repeat(10)}">`).join('')}]>`;

  const HOSTILE: [string, () => string][] = [
    ['one line of 10 MB', () => 'x'.repeat(MB10)],
    ['spaces', () => ' '.repeat(MB10)],
    ['line feeds', () => '\n'.repeat(MB10)],
    ['escapes without an end', () => repeated('\u001b]8;;')],
    ['escapes with parameters', () => `\u001b[${'1;'.repeat(MB10 / 2)}`],
    ['random bytes', () => Buffer.alloc(MB10, 'k\u0000\u009b\ufffd<1>"\\{').toString('latin1')],
    ['entities that expand', () => `${entities}<testsuite><testcase name="&a11;"/></testsuite>`],
    [
      'an external entity',
      () =>
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&e;"/></testsuite>',
    ],
    ['elements without an end', () => repeated('<testsuite>')],
    ['tags without an end', () => repeated('<testsuite ')],
    ['quotes without an end', () => repeated("<testsuite '")],
    ['an attribute without an end', () => `<testsuite name="${'a'.repeat(MB10)}`],
    ['attributes without values', () => `<testsuite ${'a '.repeat(MB10 / 2)}`],
    ['JSON without an end', () => `{"numTotalTests":1,"testResults":${'['.repeat(MB10)}`],
    ['JSON of marks', () => repeated('{"numTotalTests"')],
    ['JSON in one string', () => `{"numTotalTests":1,"a":"${'\\'.repeat(MB10)}`],
    ['go events that never end', () => repeated('{"Action":"output","Test":"a","Output":"b"}\n')],
    [
      'TAP of nested groups',
      () =>
        `TAP version 14\n1..1\n${Array.from({ length: 3000 }, (_, i) => `${' '.repeat((i * 4) % 400)}ok ${i} - x {`).join('\n')}`,
    ],
    [
      'TAP with aliases',
      () =>
        `1..1\nnot ok 1\n  ---\n  a: &a [x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\n  f: &f [*e,*e,*e,*e,*e,*e,*e,*e]\n  g: [*f,*f,*f,*f,*f,*f,*f,*f]\n  ...\n`,
    ],
    ['TAP between noise', () => `1..1\nok\n${repeated('x\n')}`],
    ['TAP of a million points', () => `1..1\n${repeated('ok\n')}`],
    ['TAP of YAML', () => `1..1\n${repeated('ok\n  ---\n  a: 1\n  ...\n')}`],
    ['TAP of one YAML block', () => `1..1\nok\n  ---\n${repeated('  a: 1\n')}`],
    ['XML of many tags', () => `<testsuite>${repeated('<a/>')}</testsuite>`],
    ['XML of many cases', () => `<testsuite>${repeated('<testcase/>')}</testsuite>`],
    ['numbers of pytest', () => `${'1 a'.repeat(MB10 / 3)} in 1.0s`],
    [
      'cargo headings',
      () => `${repeated('---- a stdout ----\n')}test result: ok. 1 passed; 0 failed; 0 ignored;`,
    ],
    ['node:test groups', () => `${repeated('▶ a\n')}ℹ tests 1`],
  ];

  test.each(HOSTILE)('%s is taken without harm', async (_, make) => {
    const found = await readTests(make());
    expect(found?.cases.length ?? 0).toBeLessThanOrEqual(1000);
    expect(JSON.stringify(found)).not.toContain('root:');
  });
});
