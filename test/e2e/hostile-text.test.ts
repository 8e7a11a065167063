/** Workstreams, files and modules whose every text is meant to break out of where it is shown. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { bin, cleanEnvironment, millrace, parseLines, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { tableRows } from '../kit/table-cells.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { openTerminal } from '../kit/terminal.ts';

/** A title, the clipboard, a cleared screen, another screen, pasted keys, C1, directions, line ends, marks, NUL. */
const NASTY =
  '\u001b]0;PWNED\u0007\u001b]52;c;aGVsbG8=\u0007\u001b[2J\u001b[?1049h\u001b[?2004h\u001b[6n\u009b31m\u0090q\u009c' +
  '\u202egnp.exe\u2066\u200b|`<b>```\u2028\u2029\u0085\r\n# x\n{"level":30}\n\u0000\ud800\ufeff👨‍👩‍👧';
const NASTY_LINE = NASTY.replaceAll('\0', '');

const MODULE = `
const nasty = ${JSON.stringify(NASTY)};
export default async function (input, context) {
  context.progress(0.5, nasty);
  context.log.info({ [nasty]: nasty }, nasty);
  context.warn(nasty);
  console.log(nasty);
  if (input === 'throws') throw Object.assign(new Error(nasty), { name: nasty, code: nasty });
  if (input === 'throws ten megabytes') throw new Error('x|'.repeat(5_000_000));
  if (input === 'prints ten megabytes') { console.log('y\`'.repeat(5_000_000)); throw nasty; }
  return { output: { [nasty]: nasty, constructor: nasty, rows: [{ [nasty]: nasty }] }, metrics: { [nasty]: 1 }, filesModified: [nasty] };
}
`;

const step = (input: string) => ({ steps: [{ module: './nasty.mjs', input }], title: NASTY, kind: NASTY });

/** A folder of them, in which the ids and the names of files are no better. */
function hostileFolder(): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/nasty.mjs': MODULE,
    'workstreams/all.json': [
      { id: 'constructor', ...step('throws') },
      { id: 'tostring', ...step('completes'), acceptance_tests: [{ manual: NASTY_LINE }] },
      { id: 'ws-large', ...step('throws ten megabytes') },
      { id: 'ws-long', ...step('prints ten megabytes') },
      { id: 'ws-after', depends_on: ['constructor'], steps: [{ run: 'true' }] },
      {
        id: 'ws-command',
        steps: [
          {
            run: String.raw`printf '\033]0;x\007\033[2J\000\377|<b>\n'; exit 3`,
            id: NASTY_LINE.slice(0, 90),
          },
        ],
      },
      {
        id: 'ws-test',
        steps: [{ run: 'true' }],
        acceptance_tests: [{ run: String.raw`printf '\033]0;x\007\233'; exit 4`, name: NASTY_LINE }],
      },
      { id: 'ws-tool', tool: '__proto__', tasks: [NASTY_LINE] },
      { id: 'ws-export', steps: [{ module: './nasty.mjs', export: NASTY_LINE }] },
    ],
  });
  for (const name of ['-rf', '__proto__', 'constructor', `evil\u001b]0;x\u0007\n|\`\u202e`, 'é', 'e\u0301'])
    writeFileSync(join(folder, 'workstreams', `${name}.json`), '{');
  return folder;
}

const TOTAL = 15;

/** What a terminal would act on, or that changes how its neighbours look; line ends are fine. */
const ACTIVE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Joiners between emoji make one of them, and nothing else. */
const FAMILY = /\p{Extended_Pictographic}(?:\u200d\p{Extended_Pictographic})+/gu;

const active = (text: string): string[] =>
  [...new Set(text.replaceAll(FAMILY, '').match(ACTIVE) ?? [])].map((char) => JSON.stringify(char));

/** What Millrace itself tells a terminal: colours, moves, erasing, the cursor, wrapping, synchronised frames. */
// oxlint-disable-next-line no-control-regex
const OWN = /\u001b\[(?:[\d;]*m|\d*[ABCDGJK]|\?(?:25|7|2026)[hl])|\r\n|\r/g;

test('a terminal is told nothing that Millrace does not say itself, and the report is whole', async () => {
  const folder = hostileFolder();
  const terminal = await openTerminal(process.execPath, [bin], { cwd: folder, columns: 120, rows: 40 });
  expect(await terminal.exit).toBe(1);
  expect(active(terminal.raw.toString().replaceAll(OWN, ''))).toEqual([]);
  expect(terminal.history().join('\n')).toContain(`${TOTAL} workstreams: 1 completed, 13 failed, 1 skipped`);
  expect(query(folder, 'SELECT total_workstreams AS n FROM consolidated_runs')).toEqual([{ n: TOTAL }]);
  const { stdout: markdown } = await millrace(folder, ['report', 'latest', '--format', 'md']);
  expect(active(markdown)).toEqual([]);
  for (const rows of tableRows(markdown)) expect(new Set(rows.map((cells) => cells.length)).size).toBe(1);
  expect(Buffer.byteLength(markdown)).toBeLessThan(200_000);
});

test('a terminal that can not move its cursor neither', async () => {
  const folder = hostileFolder();
  const env = { TERM: 'dumb' };
  const terminal = await openTerminal(process.execPath, [bin], { cwd: folder, columns: 120, env });
  expect(await terminal.exit).toBe(1);
  expect(active(terminal.raw.toString().replaceAll(OWN, ''))).toEqual([]);
});

test('each line of the log is one JSON object, and so is the document', async () => {
  const folder = hostileFolder();
  const piped = await millrace(folder, ['run', '--log-level', 'debug']);
  expect(piped.code).toBe(1);
  expect([active(piped.stdout), piped.stderr]).toEqual([[], '']);
  const lines = parseLines(piped.stdout);
  expect(lines.every((line) => typeof line === 'object' && !Array.isArray(line))).toBe(true);
  expect(lines.filter(({ event }) => event === 'workstream-finished')).toHaveLength(TOTAL);
  expect(lines.filter(({ msg }) => msg === NASTY)).toHaveLength(4);
  expect(Math.max(...piped.stdout.split('\n').map(({ length }) => length))).toBeLessThan(100_000);
  const asJson = await millrace(folder, ['run', '--json', '--junit', 'junit.xml']);
  expect([active(asJson.stdout), active(asJson.stderr)]).toEqual([[], []]);
  expect(parseLines(asJson.stderr).length).toBeGreaterThan(TOTAL);
  expect(JSON.parse(asJson.stdout).workstreams).toHaveLength(TOTAL);
});

test('what is asked later shows as little', async () => {
  const folder = hostileFolder();
  await millrace(folder, ['run']);
  for (const command of [
    ['show', 'latest'],
    ['errors'],
    ['agents'],
    ['status'],
    ['runs'],
    ['validate'],
    ['plan'],
  ]) {
    const [text, json] = await Promise.all([
      millrace(folder, command),
      millrace(folder, [...command, ...(command[0] === 'plan' ? ['--format', 'json'] : ['--json'])]),
    ]);
    expect([command, active(text.stdout), text.stderr]).toEqual([command, [], '']);
    expect([command, active(json.stdout), json.stderr]).toEqual([command, [], '']);
    expect(typeof JSON.parse(json.stdout)).toBe('object');
  }
  const { stdout: valid } = await millrace(folder, ['validate']);
  const problems = valid.trimEnd().split('\n').slice(0, -1);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.filter((line) => !/^workstreams\/.*: (error|warning): /.test(line))).toEqual([]);
  const { stdout: xml } = await millrace(folder, ['report', 'latest', '--format', 'junit']);
  expect([XMLValidator.validate(xml), active(xml)]).toEqual([true, []]);
});

test('what is typed comes back as text', async () => {
  const folder = hostileFolder();
  const typed = NASTY_LINE.slice(0, 60);
  const ways = [
    ['show', typed],
    ['run', '-n', typed],
    ['run', typed],
    ['--x', typed],
    ['report', '../../etc/passwd'],
    ['run', `--${typed}`],
    ['runs', '--state', typed],
  ];
  for (const args of ways) {
    const { code, stdout, stderr } = await millrace(folder, args);
    expect([args, active(stdout + stderr)]).toEqual([args, []]);
    expect([args, code]).toEqual([
      args,
      args[0] === 'runs' ? 0 : args[0]?.startsWith('-') || args[1]?.startsWith('--') ? 2 : 4,
    ]);
  }
  const { stderr, code } = await millrace(folder, ['run'], { ...cleanEnvironment(), MILLRACE_AGENTS: typed });
  expect([code, active(stderr)]).toEqual([2, []]);
});
