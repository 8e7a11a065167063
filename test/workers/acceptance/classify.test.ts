import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isCommand } from '../../../workers/acceptance/classify.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** Programs that are installed for these tests; what else this machine has must not matter. */
const PROGRAMS = [
  'grep',
  'ls',
  'cat',
  'diff',
  'file',
  'find',
  'login',
  'users',
  'link',
  'sort',
  'date',
  'timeout',
  'env',
  'mytool',
];

const COMMANDS = [
  'npm test',
  'npm run lint && npm test',
  'CI=1 npm test',
  'pytest',
  'pytest tests/unit -k "not slow" -x',
  'python3 -m pytest -q',
  'cargo test --workspace',
  'go test ./...',
  'golangci-lint run ./...',
  'terraform validate',
  'make check',
  'make',
  'true',
  'exit 0',
  'test -f dist/index.js',
  'test "$(cat version.txt)" = "1.2.3"',
  '[ -s report.xml ]',
  '! grep -r TODO src',
  "grep -q 'that is the way' README.md",
  'grep -rn the src/',
  'cat out.txt | grep done',
  'diff a.txt b.txt',
  'find . -name "*.orig"',
  'ls dist',
  'mytool check everything',
  './scripts/check.sh',
  './scripts/not-there.sh --all',
  'scripts/check.sh',
  'nosuchtool --check src',
  '(cd packages/a && npm test)',
  'time npm test',
  'env CI=1 npm test',
  'timeout 60 npm test',
  'for f in *.ts; do node "$f"; done',
  'if [ -f a ]; then exit 1; fi',
  'node -e "process.exit(0)"',
  'curl -fsS http://localhost:3000/health',
  'docker compose config',
  'git diff --exit-code',
  'npx tsc --noEmit',
  'echo done > result.txt',
];

const PROSE = [
  'All tests pass',
  'The page looks right on a phone',
  'Looks good to a person',
  'Run `npm test`',
  'tests pass',
  'make sure that the old API still works',
  'make sure the --json flag works',
  'test that src/index.ts exports the function',
  'go to the settings page and press Save',
  'git log of the branch shows one commit',
  'npm install works without errors',
  'npm test passes',
  'node 20 and 22 are supported',
  'find all places where the name is used',
  'file uploads work',
  'login page loads quickly',
  'users can log in',
  'link targets are correct',
  'date format is ISO 8601',
  'sort order is stable',
  'time to first byte is under 200 ms',
  'exit code is 0 when nothing failed',
  'read the docs once more',
  'if the user is logged out, the page redirects',
  'while loading, a spinner is shown',
  'for every route there is a test',
  'coverage >= 80%',
  'p95 latency < 200 ms',
  'CI/CD pipeline is green',
  'README.md mentions the new option',
  'docs/index.md explains the flag',
  'src has no TODO left',
  '/login redirects to /home',
  'http://localhost:3000 answers',
  'output matches test/expected.json',
  "doesn't crash on empty input",
  '`npm test` is green',
  'Code review by two people',
  '日本語の表示が正しい',
  '',
];

describe('text is taken for', () => {
  let folder = '';
  beforeEach(() => {
    folder = temporaryFolder();
    for (const name of PROGRAMS.map((program) => join('bin', program)).concat('scripts/check.sh')) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), '#!/bin/sh\n');
      chmodSync(join(folder, name), 0o755);
    }
    mkdirSync(join(folder, 'src'));
    mkdirSync(join(folder, 'docs'));
    writeFileSync(join(folder, 'docs/index.md'), '');
    vi.stubEnv('PATH', join(folder, 'bin'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each(COMMANDS)('a command: %s', (text) => {
    expect(isCommand(text, folder)).toBe(true);
  });

  test.each(PROSE)('prose: %s', (text) => {
    expect(isCommand(text, folder)).toBe(false);
  });

  test('its first word is compared with case', () => {
    expect(['Make check', 'NPM test', 'Grep x', 'Test -f x'].map((text) => isCommand(text, folder))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
