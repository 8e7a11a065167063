/** Acceptance tests through the real engine: a worker thread, real commands, real files. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assignment } from '../../../src/domain/assignment.ts';
import { describeFailure } from '../../../src/domain/failure-message.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { AcceptanceTest, Workstream } from '../../../src/domain/workstream.ts';
import { ThreadEngine } from '../../../src/engine/threads.ts';
import { groupIsAlive } from '../../../src/os/process-group.ts';
import { acceptanceCommand, assignment, runStep, workstream } from '../../kit/definitions.ts';
import { engineSettings } from '../../kit/engine-settings.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const sample = (name: string): string => fileURLToPath(new URL(`./samples/${name}`, import.meta.url));
const node = process.execPath;

let engine: ThreadEngine;
beforeAll(() => {
  engine = new ThreadEngine({
    ...engineSettings(join('/nowhere', 'cache')),
    agents: 1,
    manyCommands: false,
  });
});
afterAll(() => engine.close());

interface Given {
  folder?: string;
  steps?: Workstream['steps'];
  definition?: Partial<Workstream>;
  fields?: Partial<Assignment>;
}

async function accept(tests: AcceptanceTest[], given: Given = {}): Promise<Outcome> {
  const folder = given.folder ?? temporaryFolder();
  const definition = workstream('ws-a', given.steps ?? [runStep('true')], {
    acceptanceTests: tests,
    ...given.definition,
  });
  return engine.execute(assignment(folder, definition, given.fields), {
    signal: new AbortController().signal,
    onMessage: () => undefined,
  });
}

describe('each acceptance test', () => {
  test('of several lines ends at the first that fails, and so does setup; the shell may be bash', async () => {
    const { tests } = await accept([
      acceptanceCommand('false\ntrue'),
      acceptanceCommand('false | true', { shell: 'bash' }),
      { kind: 'text', text: 'false\ntrue' },
      acceptanceCommand('false | true'),
    ]);
    expect(tests.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'passed']);
    const { failure } = await accept([], { fields: { setup: 'false\ntrue' } });
    expect(failure).toMatchObject({ reason: 'setup-failed', exitCode: 1 });
  });

  test('runs in the workspace after the steps, with its own name, folder and variables', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    const { tests, failure } = await accept(
      [
        acceptanceCommand('test -f made', { name: 'It is made' }),
        acceptanceCommand('test "$(pwd)" = "$WANTED" && test "$MATRIX_N" = 7', {
          cwd: 'sub',
          env: { WANTED: join(folder, 'sub') },
        }),
      ],
      { folder, steps: [runStep('touch made')], definition: { matrix: { n: 7 } } },
    );
    expect(failure).toBeNull();
    expect(tests.map(({ name, status }) => [name, status])).toEqual([
      ['It is made', 'passed'],
      ['test "$(pwd)" = "$WANTED" && test "$MATRIX_N" = 7', 'passed'],
    ]);
  });

  test('has a log of its own, beside that of the steps', async () => {
    const folder = temporaryFolder();
    const { tests, logFile, failure } = await accept(
      [acceptanceCommand('true'), acceptanceCommand('echo out; echo err >&2; exit 3')],
      { folder, steps: [runStep('echo step')] },
    );
    expect(readFileSync(logFile ?? '', 'utf8')).toBe('step\n');
    expect(tests.map((result) => result.logFile)).toEqual([null, join(folder, 'ws-a.test-2.log')]);
    expect(readFileSync(join(folder, 'ws-a.test-2.log'), 'utf8')).toBe('out\nerr\n');
    expect(existsSync(join(folder, 'ws-a.test-1.log'))).toBe(false);
    expect(failure).toMatchObject({
      reason: 'acceptance-failed',
      tests: [{ detail: 'exit code 3' }],
      tail: 'out\nerr\n',
      log: join(folder, 'ws-a.test-2.log'),
    });
  });

  test('whose own time passes is ended and failed, and the next one still runs', async () => {
    const { tests, failure } = await accept([
      acceptanceCommand('echo $$; sleep 1000', { timeoutSeconds: 2 }),
      acceptanceCommand('true'),
    ]);
    expect(tests.map(({ status, detail }) => [status, detail])).toEqual([
      [
        'failed',
        'it was still running after 2 s and was ended; raise its timeout_seconds if it needs longer',
      ],
      ['passed', ''],
    ]);
    expect(failure).toMatchObject({ reason: 'acceptance-failed', tests: [{ name: 'echo $$; sleep 1000' }] });
    expect(groupIsAlive(Number(readFileSync(tests[0]?.logFile ?? '', 'utf8')))).toBe(false);
  });

  test('is stopped with the workstream, whose own failure counts', async () => {
    const folder = temporaryFolder();
    const stop = new AbortController();
    const definition = workstream('ws-a', [runStep('true')], {
      acceptanceTests: [acceptanceCommand('touch begun; sleep 1000'), acceptanceCommand('true')],
    });
    const outcome = engine.execute(assignment(folder, definition), {
      signal: stop.signal,
      onMessage: () => undefined,
    });
    await expect.poll(() => existsSync(join(folder, 'begun'))).toBe(true);
    stop.abort('cancelled');
    const { failure, tests } = await outcome;
    expect(failure).toMatchObject({ reason: 'cancelled' });
    expect(tests.map(({ status, detail }) => [status, detail])).toEqual([['failed', 'it was stopped']]);
  });

  test.each([
    ['nosuchtool-a --check', 'there is no command "nosuchtool-a" on PATH (exit code 127)'],
    ['./no/such/file.sh --all', 'there is no command "./no/such/file.sh" (exit code 127)'],
    ['bash -c "nosuchtool-b x"', 'there is no command "nosuchtool-b" on PATH (exit code 127)'],
    ['env nosuchtool-c', 'there is no command "nosuchtool-c" on PATH (exit code 127)'],
    ['exit 127', 'exit code 127'],
    ['echo "x: not found"; exit 1', 'exit code 1'],
  ])('%s: says what is missing', async (text, detail) => {
    const { tests } = await accept([{ kind: 'text', text }]);
    expect(tests.map(({ status, detail: found }) => [status, found])).toEqual([['failed', detail]]);
  });

  test('says when its folder is missing', async () => {
    const { tests } = await accept([acceptanceCommand('true', { cwd: 'gone' })]);
    expect(tests[0]?.detail).toMatch(/^There is no folder .*\/gone to run the command in$/);
  });
});

describe('counts', () => {
  test('come from what a real test runner prints', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'a.test.mjs'),
      "import { test } from 'node:test';\ntest('good', () => {});\ntest('bad', () => { throw new Error('why'); });\n",
    );
    const { tests, failure } = await accept([acceptanceCommand(`"${node}" --test a.test.mjs`)], { folder });
    expect(tests[0]).toMatchObject({
      status: 'failed',
      detail: 'exit code 1; 1 of 2 tests failed: bad',
      counts: { total: 2, passed: 1, failed: 1, skipped: 0 },
      cases: [
        { name: 'bad', status: 'failed' },
        { name: 'good', status: 'passed' },
      ],
    });
    expect(tests[0]?.cases[0]?.message).toContain('why');
    expect(failure && describeFailure(failure)).toContain('1 of 2 tests failed: bad');
  });

  test.each([
    [
      'a pipe',
      `cat '${sample('pytest.txt')}' | cat`,
      '3 of 7 tests failed: test_refuses, TestGroup::test_each[2], test_error',
    ],
    [
      '|| true',
      `(cat '${sample('cargo-abort.txt')}'; exit 101) || true`,
      'failed: the test program ended before its tests',
    ],
    [
      'a TAP plan',
      "printf 'TAP version 13\\n1..3\\nok 1 - a\\n'",
      '2 of 3 tests failed: the plan of its tests',
    ],
    ['no TAP plan', "printf 'TAP version 13\\nok 1 - a\\n'", '1 of 2 tests failed: no plan of its tests'],
    ['a bail-out', "printf '1..1\\nok 1 - a\\nBail out! no database\\n'", 'tests failed: Bail out!'],
    [
      'a file that did not load',
      `cat '${sample('node-test-unloaded-spec.txt')}'; true`,
      '1 of 1 test failed',
    ],
  ])('that have failed are a failure although the exit code is 0: %s', async (_, line, said) => {
    const { tests, failure } = await accept([acceptanceCommand(line, { name: 'hides' })]);
    expect(tests[0]).toMatchObject({ status: 'failed', detail: expect.stringContaining(said) });
    expect(tests[0]?.detail).toMatch(/^exit code 0, although .*; a pipe.*hide the exit code$/);
    expect(failure).toMatchObject({ reason: 'acceptance-failed', tests: [{ name: 'hides' }] });
  });

  test('of result files that have failed are one too', async () => {
    const { tests } = await accept([
      acceptanceCommand(`cat '${sample('pytest-junit.xml')}' > r.xml; true`, { report: 'r.xml' }),
    ]);
    expect(tests[0]?.detail).toMatch(/^exit code 0, although \d of \d+ tests failed/);
  });

  test('that were not run at all are a warning; the exit code decides', async () => {
    const { tests, warnings, failure } = await accept([
      acceptanceCommand(`cat '${sample('jest-none.txt')}'`, { name: 'empty' }),
      acceptanceCommand("printf '1..1\\nok 1 - a # SKIP\\n'", { name: 'skipping' }),
    ]);
    expect(tests.map(({ status }) => status)).toEqual(['passed', 'passed']);
    expect(failure).toBeNull();
    expect(warnings).toEqual([
      'Acceptance test "empty" passed by its exit code 0, but no test was run. Check which tests the command selects.',
      'Acceptance test "skipping" passed by its exit code 0, but no test was run: all 1 were skipped.',
    ]);
  });

  test.each(['1..10 is a range\\n', 'ok 1 file converted\\n', 'ok 1\\tfile\\n', 'all ok\\n1..2..3\\n'])(
    'are not seen where %j is printed',
    async (text) => {
      const { tests, warnings } = await accept([acceptanceCommand(`printf '${text}'`)]);
      expect(tests[0]).toMatchObject({ status: 'passed', counts: null });
      expect(warnings).toEqual([]);
    },
  );

  test('that are good do not help a command that fails', async () => {
    const { tests } = await accept([acceptanceCommand("printf '1..1\\nok 1 - a\\n'; exit 2")]);
    expect(tests[0]?.detail).toBe('exit code 2, although none of its 1 tests failed');
  });
});

describe('result files', () => {
  const write = (from: string, to: string): string => `cat '${sample(from)}' > ${to}`;

  test('count instead of the output', async () => {
    const { tests, warnings } = await accept([
      acceptanceCommand(`${write('vitest-json.txt', 'out.json')}; cat '${sample('cargo.txt')}'; exit 1`, {
        report: 'out.json',
      }),
    ]);
    expect(tests[0]).toMatchObject({ format: 'jest-json', counts: { total: 6, failed: 1 } });
    expect(warnings).toEqual([]);
  });

  test('are found by pattern and added up, without those of dependencies', async () => {
    const command = ['mkdir -p r/deep node_modules/x', write('pytest-junit.xml', 'r/a.xml')];
    command.push(write('vitest.tap', 'r/deep/b.xml'), write('vitest.tap', 'node_modules/x/c.xml'), 'exit 1');
    const { tests, warnings } = await accept([acceptanceCommand(command.join('; '), { report: '**/*.xml' })]);
    expect(tests[0]).toMatchObject({
      format: 'junit, tap',
      counts: { total: 13, passed: 5, failed: 4, skipped: 4 },
    });
    expect(warnings).toEqual([]);
  });

  test('from before the test are ignored, however new they are', async () => {
    const folder = temporaryFolder();
    copyFileSync(sample('pytest-junit.xml'), join(folder, 'old.xml'));
    const { tests, warnings } = await accept(
      [acceptanceCommand('true', { report: 'old.xml', name: 'stale' })],
      {
        folder,
        steps: [runStep('touch old.xml')],
      },
    );
    const detail = 'exit code 0, but it did not write its report old.xml';
    expect(tests[0]).toMatchObject({ status: 'failed', detail, counts: null, format: null, cases: [] });
    expect(warnings).toEqual([
      'Acceptance test "stale": its report old.xml is older than the start of the test and was ignored.',
    ]);
  });

  test('copied from earlier with their date are ignored too', async () => {
    const folder = temporaryFolder();
    copyFileSync(sample('pytest-junit.xml'), join(folder, 'kept.xml'));
    utimesSync(join(folder, 'kept.xml'), 1_000_000, 1_000_000);
    const { tests, warnings } = await accept(
      [acceptanceCommand('cp -p kept.xml new.xml', { report: 'new.xml', name: 'copy' })],
      { folder },
    );
    expect(tests[0]).toMatchObject({ status: 'failed' });
    expect(warnings).toEqual([
      'Acceptance test "copy": its report new.xml is older than the start of the test and was ignored.',
    ]);
  });

  test('that can not be used are named, and the output counts', async () => {
    const { tests, warnings } = await accept([
      acceptanceCommand(`echo nothing > a.xml; mkdir d.xml; cat '${sample('cargo.txt')}'; exit 1`, {
        report: '{a,gone}.xml',
        name: 'one',
      }),
      acceptanceCommand('true', { report: 'none/*.xml', name: 'two' }),
      acceptanceCommand('true', { report: 'd.xml', name: 'three' }),
      acceptanceCommand('true', { report: 'gone.xml', name: 'four' }),
    ]);
    expect(tests[0]).toMatchObject({ format: 'cargo', counts: { total: 4 } });
    expect(warnings).toEqual([
      'Acceptance test "one": its report a.xml holds no test results that can be read.',
      'Acceptance test "two": no file matches its report none/*.xml.',
      'Acceptance test "three": its report d.xml is not a file and was not read.',
      'Acceptance test "four": its report gone.xml was not written.',
    ]);
  });
});

test.each(['gone.xml', 'none/*.xml'])('a test that does not write its report %s fails', async (report) => {
  const { tests, failure } = await accept([
    acceptanceCommand(`cat '${sample('pytest-junit.xml')}' | grep -c passed; true`, { report, name: 'gone' }),
  ]);
  const detail = `exit code 0, but it did not write its report ${report}`;
  expect(tests[0]).toMatchObject({ status: 'failed', detail });
  expect(failure).toMatchObject({ reason: 'acceptance-failed', tests: [{ name: 'gone', detail }] });
});

test('a result file that a test writes and that can not be read fails it, whatever its exit code', async () => {
  const { tests, failure } = await accept([
    acceptanceCommand(`head -c 300 '${sample('pytest-junit.xml')}' > cut.xml`, {
      report: 'cut.xml',
      name: 'cut',
    }),
  ]);
  const detail = 'exit code 0, but its report cut.xml holds no test results that can be read';
  expect(tests[0]).toMatchObject({ status: 'failed', detail });
  expect(failure).toMatchObject({ reason: 'acceptance-failed', tests: [{ name: 'cut', detail }] });
});

describe('test gates', () => {
  test('run their configured command after the acceptance tests', async () => {
    const { tests, failure, warnings } = await accept([acceptanceCommand('true')], {
      definition: {
        testGates: [
          { type: 'GATE_UNIT', required: true, blocking: true },
          { type: 'GATE_LINT', required: true, blocking: false },
        ],
      },
      fields: { gates: { GATE_UNIT: 'exit 0', GATE_LINT: 'exit 4' } },
    });
    expect(tests.map(({ name, status, blocking }) => [name, status, blocking])).toEqual([
      ['true', 'passed', true],
      ['GATE_UNIT', 'passed', true],
      ['GATE_LINT', 'failed', false],
    ]);
    expect(failure).toBeNull();
    expect(warnings).toEqual(['GATE_LINT failed, which does not block the workstream: exit code 4.']);
  });

  test('that block fail the workstream', async () => {
    const { failure } = await accept([], {
      definition: { testGates: [{ type: 'GATE_SECURITY', required: false, blocking: true }] },
      fields: { gates: { GATE_SECURITY: 'exit 1' } },
    });
    expect(failure).toMatchObject({
      reason: 'acceptance-failed',
      tests: [{ name: 'GATE_SECURITY', detail: 'exit code 1' }],
    });
  });

  test('without a command are a check for a person, or nothing where they are not required', async () => {
    const { tests, failure } = await accept([], {
      definition: {
        testGates: [
          { type: 'GATE_LINT', required: true, blocking: true },
          { type: 'GATE_SECURITY', required: false, blocking: true },
        ],
      },
    });
    expect(failure).toBeNull();
    expect(tests.map(({ name, status, detail }) => [name, status, detail])).toEqual([
      ['GATE_LINT', 'manual', 'No command is configured for it under `gates` in millrace.config.json.'],
    ]);
  });
});
