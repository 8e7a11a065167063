/** Error patterns, on the command line. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bin, cleanEnvironment, millrace, parseLines, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** What a command prints that has this on its standard input. */
function fed(
  folder: string,
  args: string[],
  input: string,
): { stdout: string; stderr: string; status: number | null } {
  const env = cleanEnvironment();
  return spawnSync(process.execPath, [bin, ...args], { cwd: folder, input, encoding: 'utf8', env });
}

describe('millrace patterns --stdin', () => {
  const input = [
    'Error: Cannot find module lodash',
    'row 7 is locked',
    'Error: Cannot find module express',
    '{"message":"row 8 is locked\\n    at f (/a/b.js:1:1)"}',
    '{"level":30,"msg":"no message"}',
    'Error: Cannot find module zod',
    '',
  ].join('\n');

  test('names with --json the pattern of each message, in their order, a line each', () => {
    const folder = temporaryFolder();
    const { stdout, stderr, status } = fed(folder, ['patterns', '--stdin', '--json'], input);
    const lines = parseLines(stdout);
    expect([status, stderr, lines.length]).toEqual([0, '', 6]);
    expect(lines.map(({ template }) => template)).toEqual([
      'Cannot find module <*>',
      'row <*> is locked',
      'Cannot find module <*>',
      'row <*> is locked',
      expect.any(String),
      'Cannot find module <*>',
    ]);
    expect(new Set(lines.map((line) => line['pattern_id'])).size).toBe(3);
    expect(lines.every((line) => /^p-[\da-f]{8}$/.test(String(line['pattern_id'])))).toBe(true);
  });

  test('prints otherwise the patterns, the most frequent first, with their values', () => {
    const { stdout } = fed(temporaryFolder(), ['patterns', '--stdin'], input);
    expect(stdout).toMatch(/^6 messages in 3 patterns\.\n\npattern +count +template +values\n/);
    expect(stdout).toMatch(
      /p-[\da-f]{8} +3 +Cannot find module <\*> +lodash \(1\), express \(1\), zod \(1\)\n/,
    );
  });

  test('says of how many lines the values are where not of all', () => {
    const many = Array.from({ length: 10_001 }, (_, index) => `row ${index} is locked\n`).join('');
    const { stdout } = fed(temporaryFolder(), ['patterns', '--stdin'], many);
    expect(stdout).toContain('10001 messages in 1 pattern.');
    expect(stdout).toContain('The values are those of the first 10000 messages.');
    expect(fed(temporaryFolder(), ['patterns', '--stdin'], input).stdout).not.toContain('The values are');
  });

  test('prints Markdown with --format md, also without messages', () => {
    const { stdout } = fed(temporaryFolder(), ['patterns', '--stdin', '--format', 'md'], 'a | b\n');
    expect(stdout).toMatch(/\| p-[\da-f]{8} \| 1 +\| a \\\| b +\|/);
    const none = fed(temporaryFolder(), ['patterns', '--format', 'md'], '');
    expect([none.status, none.stdout]).toEqual([0, 'No run has had an error.\n']);
  });

  test('uses no database', () => {
    const folder = temporaryFolder();
    fed(folder, ['patterns', '--stdin'], input);
    expect(existsSync(join(folder, '.state'))).toBe(false);
  });

  test('groups any number of different messages in little memory', () => {
    const letters = (number: number): string =>
      String(number).replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
    const messages = Array.from(
      { length: 60_000 },
      (_, index) => `${letters(index)} ${letters(index * 7)} ${'x'.repeat(900)}`,
    );
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--max-old-space-size=80', bin, 'patterns', '--stdin', '--json'],
      {
        cwd: temporaryFolder(),
        input: `${messages.join('\n')}\n`,
        encoding: 'utf8',
        env: cleanEnvironment(),
        maxBuffer: 2 ** 28,
      },
    );
    const lines = parseLines(stdout);
    expect([status, lines.length]).toEqual([0, 60_000]);
    expect(lines.findIndex((line, index) => line['template'] !== messages[index])).toBe(-1);
  });

  test('of nothing prints nothing', () => {
    const { stdout, status } = fed(temporaryFolder(), ['patterns', '--stdin', '--json'], '');
    expect([status, stdout]).toEqual([0, '']);
  });
});

test('the summary, errors and patterns show the same groups, with the same ids', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      ...['lodash', 'express', 'zod', 'pino'].map((name, index) => ({
        id: `ws-${index}`,
        steps: [{ run: `echo "Error: Cannot find module ${name}"; exit 1` }],
      })),
      { id: 'ws-other', steps: [{ run: 'false' }] },
    ],
  });
  const run = await millrace(folder, ['run', '--json']);
  const document: { errors: { id: string; pattern: string; telling: string; count: number }[] } = JSON.parse(
    run.stdout,
  );
  const [first, second] = document.errors;
  expect([first?.pattern, first?.count]).toEqual(['Cannot find module <*>', 4]);
  expect(first?.telling).toMatch(/^Error: Cannot find module \w+$/);
  expect([second?.pattern, second?.count]).toEqual(['<*> ended with exit code 1', 1]);

  const errors = await millrace(folder, ['errors']);
  expect(errors.stdout).toContain(` (${first?.id})\n  Cannot find module <*>\n`);
  expect(errors.stdout).toMatch(/^4 × exit-non-zero in (?:ws-\d, ){3}ws-\d \(/);
  expect(errors.stdout).toMatch(/ {2}<\*>: (?:\w+ \(1\), ){3}\w+ \(1\)\n/);

  const all = await millrace(folder, ['patterns', '--json']);
  const { patterns } = JSON.parse(all.stdout);
  expect(patterns).toMatchObject([
    {
      id: first?.id,
      type: 'exit-non-zero',
      pattern: 'Cannot find module <*>',
      count: 4,
      workstreams: 4,
      runs: 1,
    },
    { id: second?.id, count: 1 },
  ]);
});

test('JUnit names the pattern of a failure by its id and its template, of which the id stays', async () => {
  const folder = temporaryFolder();
  const failing = (name: string) => ({
    id: `ws-${name}`,
    steps: [{ run: `echo "Error: Cannot find module ${name}"; exit 1` }],
  });
  const typesAfter = async (...names: string[]): Promise<string[]> => {
    writeFiles(folder, { 'workstreams/all.json': names.map(failing) });
    await millrace(folder, ['run', '--junit', 'junit.xml']);
    const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
    return [...xml.matchAll(/<failure [^>]*type="([^"]*)"/g)].map(([, type]) => type ?? '');
  };
  const [first] = await typesAfter('lodash');
  expect(first).toMatch(/^exit-non-zero p-[\da-f]{8}: Cannot find module lodash$/);
  const id = first?.split(' ')[1]?.slice(0, -1);
  expect(new Set(await typesAfter('lodash', 'express', 'zod'))).toEqual(
    new Set([`exit-non-zero ${id}: Cannot find module &lt;*&gt;`]),
  );
});

test('the id of a pattern that has become a part of another one leads there', async () => {
  const folder = temporaryFolder();
  const ids: string[] = [];
  for (const name of ['lodash', 'express', 'zod']) {
    writeFiles(folder, {
      'workstreams/a.json': {
        id: 'ws-a',
        steps: [{ run: `echo "Error: Cannot find module ${name}"; exit 1` }],
      },
    });
    const { stdout } = await millrace(folder, ['run', '--json']);
    ids.push(JSON.parse(stdout).errors[0].id);
  }
  const [first = '', second = '', third = ''] = ids;
  expect([third === first, second === first]).toEqual([true, false]);
  const { stdout, code } = await millrace(folder, ['errors', '--history', second]);
  expect([code, stdout.startsWith(`${first} is `)]).toEqual([0, true]);
});
