/** From the definition of an acceptance test to the database, the report and JUnit, with the built command. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('what a test runner says is in the database, in the report and in JUnit', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'a.test.mjs':
      "import { test } from 'node:test';\ntest('good', () => {});\ntest('bad', () => { throw new Error('why not'); });\n",
    'workstreams/a.json': {
      id: 'ws-a',
      steps: [{ run: 'true' }],
      acceptance_tests: [
        {
          run: `"${process.execPath}" --test --test-reporter=junit a.test.mjs > r.xml`,
          name: 'Unit',
          report: 'r.xml',
        },
        'The page looks right',
      ],
      test_gates: [{ type: 'GATE_LINT' }],
    },
  });
  const { code, stdout } = await millrace(folder, ['run', '--json', '--junit', 'junit.xml']);
  expect(code).toBe(1);
  const { run, workstreams } = JSON.parse(stdout);
  expect(workstreams[0].testResults).toMatchObject({
    total: 1,
    failed: 1,
    manual: 2,
    cases: { total: 2, passed: 1, failed: 1, skipped: 0 },
    tests: [{ name: 'Unit', cases: [{ name: 'bad' }, { name: 'good' }] }, {}, { name: 'GATE_LINT' }],
  });
  const database = new Database(join(folder, '.state/multi_agent_consolidated.db'), { readonly: true });
  expect(database.prepare('SELECT acceptance_test, name, status FROM test_cases ORDER BY id').all()).toEqual([
    { acceptance_test: 'Unit', name: 'bad', status: 'failed' },
    { acceptance_test: 'Unit', name: 'good', status: 'passed' },
  ]);
  database.close();
  const report = readFileSync(join(folder, `reports/multi_agent_consolidated_${run.runId}.md`), 'utf8');
  expect(report).toContain('ran 2 test cases: 1 passed, 1 failed, 0 skipped.');
  expect(report).toMatch(/\| `ws-a` `Unit` +\| `bad` +\| .*why not/);
  expect(report).toContain('No command is configured for it under `gates` in millrace.config.json.');
  const junit = readFileSync(join(folder, 'junit.xml'), 'utf8');
  expect(junit).toContain('<testsuite name="ws-a: Unit" tests="2" failures="1"');
});
