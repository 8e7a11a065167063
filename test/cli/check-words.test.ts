/** Every option of every command, without its value and with values that it can't have. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Options } from 'yargs';
import { checkedWords } from '../../src/cli/check-words.ts';
import { definitions } from '../../src/cli/definitions.ts';
import { cleanEnvironment } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Runs the command line on each of these in turn, in one process. */
const PROGRAM = `
import { createRequire } from 'node:module';
const { main } = createRequire(process.env.ENTRY)(process.env.ENTRY)['src/cli/cli.ts']();
const results = [];
const write = process.stderr.write;
process.setMaxListeners(0);
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
for (const words of JSON.parse(process.env.LINES)) {
  let said = '';
  process.exitCode = undefined;
  process.stderr.write = (text) => ((said += text), true);
  await main(words);
  process.stderr.write = write;
  results.push({ words, code: process.exitCode, said });
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(results));
`;

interface Result {
  words: string[];
  code: number;
  said: string;
}

function runAll(lines: readonly string[][], folder: string): Result[] {
  const entry = new URL('../../dist/src/cli.bundle.cjs', import.meta.url);
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: folder,
    env: { ...cleanEnvironment(), ENTRY: fileURLToPath(entry), LINES: JSON.stringify(lines) },
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  expect(stderr).toBe('');
  const results: Result[] = JSON.parse(stdout);
  return results;
}

/** What each command needs beside its options. */
const POSITIONALS: Record<string, string[]> = { show: ['latest'], report: ['latest'], why: ['ws-a'] };

/** The lines that must be refused for one option. */
function wrongLines(
  command: string[],
  name: string,
  { type, requiresArg, alias, choices }: Options,
): string[][] {
  const flag = `--${name}`;
  if (type === 'boolean')
    return [
      [...command, `${flag}=maybe`],
      [...command, `${flag}=`],
    ];
  // What may stand without a value can't lack it.
  if (requiresArg !== true) return [[...command, `--no-${name}`]];
  const flags = [flag, ...(typeof alias === 'string' ? [`-${alias}`] : [])];
  return [
    ...flags.flatMap((one) => [
      [...command, one],
      [...command, one, '--state', 'x'],
      [...command, one, ''],
      [...command, one, ' '],
      [...command, `${one}=`],
    ]),
    [...command, `--no-${name}`],
    ...(type === 'number'
      ? [
          [...command, flag, 'abc'],
          [...command, `${flag}=1x`],
          [...command, flag, '-1'],
        ]
      : []),
    ...(choices === undefined ? [] : [[...command, flag, 'none-of-them']]),
    ...(name === 'agents'
      ? [
          [...command, flag, '-1'],
          [...command, flag, '0'],
          [...command, '-j0'],
          [...command, flag, 'x'],
        ]
      : []),
  ];
}

test('no option is taken without the value that it needs: exit code 2 and a sentence, before anything is done', () => {
  const folder = temporaryFolder();
  const lines = Object.entries(definitions).flatMap(([name, { options }]) =>
    Object.entries<Options>(options).flatMap(([option, definition]) =>
      wrongLines([name, ...(POSITIONALS[name] ?? [])], option, definition),
    ),
  );
  expect(lines.length).toBeGreaterThan(200);
  const wrong = runAll(lines, folder).filter(
    ({ code, said }) => code !== 2 || !said.startsWith('millrace: ') || /itself failed|^ +at /m.test(said),
  );
  expect(wrong).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

describe('words', () => {
  test.each([
    [['run', '-j']],
    [['run', '-j=']],
    [['run', '-j', '--json']],
    [['run', '-nj']],
    [['run', '--logFile']],
    [['run', '--timeout', '--junit', 'x']],
    [['run', '--timeout', '1', '--timeout']],
    [['run', '--junit', '-n']],
    [['--json=yes']],
    [['--version=1']],
    [['-h=1']],
    [['run', '--no-agents']],
    [['run', '--', '--json']],
    [['run', '--resume=']],
    [['run', '--resume', '']],
    [['plan', '--retry-failed= ']],
  ])('%j are refused', (words) => {
    expect(() => checkedWords(words)).toThrow(/./);
  });

  test.each([
    [['run', '-j', '8', 'ws-a']],
    [['run', '-j8']],
    [['run', '-j=auto']],
    [['run', '-nj', '8']],
    [['run', '--junit', '-']],
    [['run', '--resume', '--json']],
    [['run', '--resume', 'ws-a', '--retry-failed=ma-run-20260102-030405']],
    [['run', '--no-json', '--ask=false', '--logFile', 'x']],
    [['run', '--tool-circuit', '-1', '--max-cost-usd=.5']],
    [['run', '--agnets', '3', '-x']],
    [[]],
  ])('%j are left to the parser', (words) => {
    expect(checkedWords(words)).toEqual(words);
  });

  test('behind -- are names like all others', () => {
    expect(checkedWords(['errors', '--json', '--', 'ma-run-1'])).toEqual(['errors', '--json', 'ma-run-1']);
  });
});
