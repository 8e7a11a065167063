/** Where a run keeps things: places with odd names, links, several runs in one, and places that can't be used. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { reportedRuns } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { noSmallDisk, smallDisk } from '../kit/small-disk.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const DATABASE = 'multi_agent_consolidated.db';
const one = { 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'touch ran' }] } };

function folderWith(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  return folder;
}

const messages = (stdout: string): unknown[] => parseLines(stdout).map(({ msg }) => msg);

describe('names that mean something to a shell, a terminal or a pattern', () => {
  const three = {
    'lib.ts': 'export const five: number = 5;\n',
    'module.ts': "import { five } from './lib.ts';\nexport default () => ({ output: five as number });\n",
    'all.json': [
      { id: 'ws-run', steps: [{ run: 'echo out' }] },
      { id: 'ws-command', steps: [{ command: ['sh', '-c', 'exit 3'] }] },
      { id: 'ws-module', steps: [{ module: './module.ts' }] },
    ],
  };

  test.each([
    ['spaces and quotes', ` it's a "folder" `],
    ['emoji', '💥 folder'],
    ['a line end', 'one\ntwo'],
    ['patterns and variables', '*?[a]{b,c}$HOME;`x`%s#&'],
  ])('%s', async (_, name) => {
    const folder = temporaryFolder();
    const [workstreams = '', state = '', reports = ''] = ['w', 's', 'r'].map((last) => join(name, last));
    for (const [file, content] of Object.entries(three))
      writeFiles(folder, { [join(workstreams, file)]: content });
    const places = ['--state', state, '--reports', reports];
    const { code, stdout } = await millrace(folder, ['run', '--workstreams', workstreams, ...places]);
    expect(code).toBe(1);
    expect(parseLines(stdout).at(-1)).toMatchObject({
      completed: 2,
      failed: 1,
      database: join(folder, state, DATABASE),
    });
    expect(reportedRuns(join(folder, reports))).toHaveLength(1);
    const [run = ''] = readdirSync(join(folder, state, 'logs'));
    expect(readFileSync(join(folder, state, 'logs', run, 'ws-run.log'), 'utf8')).toBe('out\n');
    const retried = await millrace(folder, [
      'run',
      '--retry-failed',
      '--workstreams',
      workstreams,
      ...places,
    ]);
    expect(retried.code).toBe(1);
    for (const command of [['runs'], ['show', 'latest'], ['errors'], ['agents'], ['status']]) {
      expect((await millrace(folder, [...command, '--state', state])).code).toBe(0);
    }
    expect((await millrace(folder, ['report', 'latest', ...places])).code).toBe(0);
    expect(readdirSync(folder)).toEqual([name]);
  });
});

describe('links', () => {
  test('a database that is reached by several of them', async () => {
    const folder = folderWith({ 'real/w/a.json': { id: 'ws-a', steps: [{ run: 'true' }] } });
    mkdirSync(join(folder, 'real', 'database'));
    mkdirSync(join(folder, 'real', 's'));
    symlinkSync('real/w', join(folder, 'w1'));
    symlinkSync('w1', join(folder, 'w2'));
    symlinkSync('real/s', join(folder, 's1'));
    symlinkSync(join(folder, 's1'), join(folder, 's2'));
    symlinkSync(join('..', 'database', 'runs.db'), join(folder, 'real', 's', DATABASE));
    symlinkSync('real/r', join(folder, 'r'));
    mkdirSync(join(folder, 'real', 'r'));
    for (const state of ['s1', 's2', 'real/s']) {
      const { code, stdout } = await millrace(folder, [
        'run',
        '--workstreams',
        'w2',
        '--state',
        state,
        '--reports',
        'r',
      ]);
      expect([code, stdout.includes('"notice"')]).toEqual([0, false]);
    }
    const { stdout } = await millrace(folder, ['runs', '--json', '--state', 's2']);
    expect(JSON.parse(stdout).runs).toHaveLength(3);
    expect(reportedRuns(join(folder, 'real', 'r'))).toHaveLength(3);
    expect(readdirSync(join(folder, 'real', 'database'))).toEqual(['runs.db']);
  });

  test('that lead in a circle are named, and nothing is run', async () => {
    const folder = folderWith(one);
    symlinkSync('there', join(folder, 'here'));
    symlinkSync('here', join(folder, 'there'));
    const workstreams = await millrace(folder, ['run', '--workstreams', 'here']);
    expect([workstreams.code, workstreams.stdout]).toEqual([2, expect.stringContaining('here')]);
    const state = await millrace(folder, ['run', '--state', 'here/s']);
    expect([state.code, state.stdout]).toEqual([2, expect.stringContaining('ELOOP')]);
    const reports = await millrace(folder, ['run', '--reports', 'here/r']);
    expect([reports.code, reports.stdout]).toEqual([2, expect.stringContaining('ELOOP')]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('inside the folder of workstreams that lead to itself are not followed for ever', async () => {
    const folder = folderWith(one);
    symlinkSync('..', join(folder, 'workstreams', 'up'));
    symlinkSync('.', join(folder, 'workstreams', 'self'));
    const { code, stdout } = await millrace(folder, ['run']);
    expect([code, parseLines(stdout).at(-1)?.['workstreams']]).toEqual([0, 1]);
  });
});

describe('several runs in one folder at the same time', () => {
  test('are all recorded, under ids, reports and logs of their own', async () => {
    const count = 4;
    const folder = folderWith({
      'workstreams/all.json': Array.from({ length: 30 }, (_, index) => ({
        id: `ws-${index}`,
        steps: [{ run: 'cat gate | grep -c go' }],
      })),
      gate: 'go\n',
    });
    const runs = Array.from({ length: count }, () => startMillrace(folder, ['run', '-j', '2']));
    const ended = await Promise.all(runs.map(({ finished }) => finished));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(ended.filter(({ stdout }) => stdout.includes('"notice"'))).toEqual([]);
    const stored = query(
      folder,
      `SELECT run_id AS id, state, completed_count AS n,
         (SELECT COUNT(*) FROM agent_results r WHERE r.run_id = u.run_id) AS results FROM consolidated_runs u`,
    );
    expect(stored.map(({ state, n, results }) => ({ state, n, results }))).toEqual(
      Array.from({ length: count }, () => ({ state: 'ended', n: 30, results: 30 })),
    );
    const ids = stored.map(({ id }) => String(id)).toSorted();
    expect(new Set(ids).size).toBe(count);
    expect(readdirSync(join(folder, '.state', 'logs')).toSorted()).toEqual(ids);
    expect(reportedRuns(join(folder, 'reports'))).toEqual(ids);
    for (const id of ids) expect(readdirSync(join(folder, '.state', 'logs', id))).toHaveLength(30);
  });
});

describe('a database that can’t be used', () => {
  /** A folder with one run, whose database is then changed. */
  async function folderOfOneRun(change: (path: string) => void): Promise<string> {
    const folder = folderWith(one);
    expect((await millrace(folder, ['run'])).code).toBe(0);
    execFileSync('rm', [join(folder, 'ran')]);
    change(join(folder, '.state', DATABASE));
    return folder;
  }

  async function expectRefused(folder: string, message: RegExp): Promise<void> {
    const { code, stdout } = await millrace(folder, ['run']);
    expect([code, messages(stdout)]).toEqual([3, [expect.stringMatching(message)]]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect(reportedRuns(join(folder, 'reports'))).toHaveLength(1);
  }

  test('because a newer version made it', async () => {
    const folder = await folderOfOneRun((path) => {
      const database = new Database(path);
      database.pragma('user_version = 999');
      database.close();
    });
    await expectRefused(
      folder,
      /was made by a newer version of Millrace\. Update Millrace, or name another --state/,
    );
    const { code, stderr } = await millrace(folder, ['runs']);
    expect([code, stderr]).toEqual([3, expect.stringContaining('newer version')]);
  });

  test('because it is damaged', async () => {
    const folder = await folderOfOneRun((path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0x5a, 100));
    });
    await expectRefused(
      folder,
      /is not a database or is damaged .*Move it away, or name another --state folder/,
    );
    for (const command of [['runs'], ['show', 'latest'], ['errors'], ['status']]) {
      const { code, stderr } = await millrace(folder, command);
      expect([code, stderr]).toEqual([3, expect.stringMatching(/^millrace: The file .* is damaged/)]);
    }
  });

  test('because another process keeps it locked', async () => {
    let other: Database.Database | null = null;
    const folder = await folderOfOneRun((path) => {
      other = new Database(path);
      other.exec('BEGIN IMMEDIATE');
    });
    await expectRefused(folder, /is locked by another process\. Wait until that has ended/);
    expect((await millrace(folder, ['runs'])).code).toBe(0);
    expect(other).not.toBeNull();
  });

  test.skipIf(noSmallDisk !== null)('because its disk is read-only; what is in it can be read', async () => {
    const folder = folderWith(one);
    const disk = smallDisk(8);
    const places = ['--state', join(disk, 's')];
    expect((await millrace(folder, ['run', ...places])).code).toBe(0);
    execFileSync('rm', [join(folder, 'ran')]);
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
    const refused = await millrace(folder, ['run', ...places]);
    expect([refused.code, messages(refused.stdout)]).toEqual([
      2,
      [expect.stringContaining(`${join(disk, 's')} can't be written (EROFS)`)],
    ]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    const shown = await millrace(folder, ['show', 'latest', ...places]);
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('1 completed')]);
    const unmade = await millrace(folder, ['run', '--state', join(disk, 'other')]);
    expect([unmade.code, messages(unmade.stdout)]).toEqual([2, [expect.stringContaining('EROFS')]]);
    const unreported = await millrace(folder, ['run', '--reports', join(disk, 'reports')]);
    expect([unreported.code, messages(unreported.stdout)]).toEqual([2, [expect.stringContaining('EROFS')]]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});
