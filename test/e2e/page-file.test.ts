/** The file of a run's page: when it is written, and what is said where it can't be. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { documentIn } from '../kit/page.ts';
import { onlyReport, reportedRuns } from '../kit/reports.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A folder with a workstream that prints, and one that waits for the file `go`. */
function folderWith(...ids: ('prints' | 'waits')[]): string {
  const folder = temporaryFolder();
  const all = [
    { id: 'prints', steps: [{ run: 'echo out' }] },
    { id: 'waits', steps: [{ run: 'while [ ! -e go ]; do sleep 0.05; done' }] },
  ];
  writeFiles(folder, { 'workstreams/all.json': all.filter(({ id }) => ids.some((each) => each === id)) });
  return folder;
}

const pageIn = (folder: string) =>
  documentIn(readFileSync(onlyReport(join(folder, 'reports'), 'html'), 'utf8'));
const hasPage = (folder: string): boolean => existsSync(onlyReport(join(folder, 'reports'), 'html'));

describe('the page is left beside the report', () => {
  test('by every run, with a link to the log', async () => {
    const folder = folderWith('prints');
    const { stdout } = await millrace(folder, ['run']);
    const [runId] = reportedRuns(join(folder, 'reports'));
    expect(parseLines(stdout).at(-1)).toMatchObject({ page: onlyReport(join(folder, 'reports'), 'html') });
    const [workstream] = pageIn(folder).workstreams;
    expect(workstream).toMatchObject({ id: 'prints', log: `../.state/logs/${runId}/prints.log` });
    expect(readFileSync(join(folder, 'reports', workstream?.log ?? ''), 'utf8')).toBe('out\n');
  });

  test('as `report` makes it from the database when the run has ended', async () => {
    const folder = folderWith('prints');
    await millrace(folder, ['run']);
    const left = pageIn(folder);
    expect((await millrace(folder, ['report', 'latest'])).code).toBe(0);
    expect(pageIn(folder)).toEqual(left);
  });

  test('by one that is interrupted, and again by the one that goes on with it', async () => {
    const folder = folderWith('prints', 'waits');
    const run = startMillrace(folder, ['run']);
    await run.line((line) => line.includes('"workstream-started"') && line.includes('"waits"'));
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect(pageIn(folder).head.run.state).toBe('interrupted');
    writeFileSync(join(folder, 'go'), '');
    expect((await millrace(folder, ['run', '--resume'])).code).toBe(0);
    expect(pageIn(folder).head.run).toMatchObject({ state: 'ended', totals: { completed: 2 } });
  });
});

describe('the page is left out', () => {
  test.each<[string, string[], NodeJS.ProcessEnv, object]>([
    ['by a flag', ['--no-html'], {}, {}],
    ['by a variable', [], { MILLRACE_HTML: 'false' }, {}],
    ['by the configuration', [], {}, { html: false }],
  ])('%s', async (_, flags, environment, config) => {
    const folder = folderWith('prints');
    writeFiles(folder, { 'millrace.config.json': config });
    const { code, stdout } = await millrace(folder, ['run', ...flags], environment);
    expect([code, hasPage(folder), parseLines(stdout).at(-1)?.['page']]).toEqual([0, false, null]);
  });

  test('and the one of the session before goes, which would tell something else', async () => {
    const folder = folderWith('prints', 'waits');
    const run = startMillrace(folder, ['run']);
    await run.line((line) => line.includes('"workstream-started"') && line.includes('"waits"'));
    run.child.kill('SIGINT');
    await run.finished;
    expect(hasPage(folder)).toBe(true);
    writeFileSync(join(folder, 'go'), '');
    await millrace(folder, ['run', '--resume', '--no-html']);
    expect(hasPage(folder)).toBe(false);
  });
});

test('a page that can not be written is told, and the report is there', async () => {
  const folder = folderWith('prints', 'waits');
  const run = startMillrace(folder, ['run']);
  const started = await run.line((line) => line.includes('"run-started"'));
  const [line] = parseLines(started);
  const report = join(folder, 'reports', `multi_agent_consolidated_${String(line?.['run_id'])}`);
  mkdirSync(`${report}.html`, { recursive: true });
  writeFileSync(join(folder, 'go'), '');
  const { code, stdout } = await run.finished;
  expect([code, existsSync(`${report}.md`)]).toEqual([3, true]);
  expect(stdout).toContain(`The report ${report}.html could not be written: EISDIR`);
});

describe('`report`', () => {
  test('writes both again', async () => {
    const folder = folderWith('prints');
    await millrace(folder, ['run', '--no-html']);
    const { code, stdout } = await millrace(folder, ['report', 'latest']);
    const [runId] = reportedRuns(join(folder, 'reports'));
    const name = `reports/multi_agent_consolidated_${runId}`;
    expect([code, stdout]).toEqual([0, `${name}.md\n${name}.html\n`]);
  });

  /** A PATH on which `xdg-open` is this script. */
  function pathWith(folder: string, script: string): NodeJS.ProcessEnv {
    const program = join(folder, 'bin', 'xdg-open');
    writeFiles(folder, { 'bin/xdg-open': `#!/bin/sh\n${script}\n` });
    chmodSync(program, 0o755);
    return { PATH: [dirname(program), process.env['PATH']].join(delimiter) };
  }

  test('opens the page with the program that is meant for it', async () => {
    const folder = folderWith('prints');
    await millrace(folder, ['run']);
    const opens = pathWith(folder, `printf %s "$1" > "${folder}/opened"`);
    expect((await millrace(folder, ['report', 'latest', '--open'], opens)).code).toBe(0);
    expect(readFileSync(join(folder, 'opened'), 'utf8')).toBe(onlyReport(join(folder, 'reports'), 'html'));
  });

  test('says why it can not be opened, and where it is', async () => {
    const folder = folderWith('prints');
    await millrace(folder, ['run']);
    const fails = pathWith(folder, 'exit 3');
    const { code, stderr } = await millrace(folder, ['report', 'latest', '--open'], fails);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^millrace: The page could not be opened: xdg-open ended with exit code 3\. Open reports\/\S+\.html in a browser\.\n$/,
    );
  });

  test('does not open what it prints', async () => {
    const { code, stderr } = await millrace(folderWith(), ['report', 'latest', '--open', '--format', 'md']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--open opens the page, and --format prints'),
    ]);
  });
});
