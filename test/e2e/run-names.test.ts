/** The names of runs, on the command line. */
import { describe, expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A folder with three runs, in each of which ws-b failed; the ids of these, the oldest first. */
async function threeRuns(): Promise<{ folder: string; ids: string[] }> {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-a', steps: [{ run: 'true' }] },
      { id: 'ws-b', steps: [{ run: 'false' }] },
      { id: 'latest', steps: [{ run: 'false' }] },
    ],
  });
  for (let count = 0; count < 3; count += 1) await millrace(folder, ['run']);
  const rows = query<{ id: string }>(folder, 'SELECT run_id AS id FROM consolidated_runs ORDER BY rowid');
  return { folder, ids: rows.map(({ id }) => id) };
}

/** What the newest run tries again, and the ids of its workstreams. */
function tried(folder: string): { of: string | null; ids: string[] } {
  const [run] = query<{ id: string; of: string | null }>(
    folder,
    'SELECT run_id AS id, retry_of AS of FROM consolidated_runs ORDER BY rowid DESC LIMIT 1',
  );
  const sql = `SELECT workstream_id AS id FROM agent_results WHERE run_id = '${run?.id}' ORDER BY workstream_id`;
  return { of: run?.of ?? null, ids: query<{ id: string }>(folder, sql).map(({ id }) => id) };
}

describe('runs', () => {
  test('are named by their place, by their id and by the beginning of it, in every command', async () => {
    const { folder, ids } = await threeRuns();
    const [first = '', second = '', third = ''] = ids;
    const named = async (name: string): Promise<string | undefined> =>
      (await millrace(folder, ['show', name])).stdout.split(':')[0];
    expect(await named('latest')).toBe(third);
    expect(await named('latest~1')).toBe(second);
    expect(await named('latest~2')).toBe(first);
    expect(await named(first)).toBe(first);
    for (const command of ['errors', 'agents'])
      expect((await millrace(folder, [command, 'latest~1', '--json'])).stdout).toContain(second);
    const several = await millrace(folder, ['show', 'ma-run']);
    expect([several.code, several.stderr]).toEqual([
      2,
      `millrace: "ma-run" could be ${third}, ${second}, ${first}. Write more of the id.\n`,
    ]);
    const none = await millrace(folder, ['show', 'latest~3']);
    expect([none.code, none.stderr]).toEqual([4, 'millrace: There is no run latest~3. See: millrace runs\n']);
  });

  test('are told from workstreams where either may follow a flag', async () => {
    const { folder, ids } = await threeRuns();
    const [first = '', second = '', third = ''] = ids;
    await millrace(folder, ['run', '--retry-failed', 'ws-b']);
    expect(tried(folder)).toEqual({ of: third, ids: ['ws-b'] });
    await millrace(folder, ['run', '--retry-failed', 'latest~2', 'ws-b']);
    expect(tried(folder)).toEqual({ of: second, ids: ['ws-b'] });
    await millrace(folder, ['run', `--retry-failed=${first}`, 'latest']);
    expect(tried(folder)).toEqual({ of: first, ids: ['latest'] });
    const ended = await millrace(folder, ['run', '--resume', third]);
    expect([ended.code, ended.stdout]).toEqual([4, expect.stringContaining(`nothing to resume in ${third}`)]);
    const unknown = await millrace(folder, ['run', '--resume=ws-b']);
    expect([unknown.code, unknown.stdout]).toEqual([4, expect.stringContaining('There is no run ws-b.')]);
  });

  test('are named by their label, which is told apart from ids', async () => {
    const { folder } = await threeRuns();
    await millrace(folder, ['run', '--label', 'nightly', 'ws-b']);
    await millrace(folder, ['run', 'ws-a'], { MILLRACE_LABEL: 'by hand' });
    const runs = await millrace(folder, ['runs', '--json']);
    const labels = JSON.parse(runs.stdout).runs.map(({ label }: { label: string | null }) => label);
    expect(labels).toEqual(['by hand', 'nightly', null, null, null]);
    expect((await millrace(folder, ['show', 'nightly'])).stdout).toContain('label nightly');
    expect((await millrace(folder, ['show', 'by hand'])).code).toBe(0);
    await millrace(folder, ['run', '--retry-failed=nightly']);
    expect(tried(folder).ids).toEqual(['ws-b']);
    for (const label of ['latest', 'ma-run-1', 'a..b', 'a~1', '-x', ''])
      expect((await millrace(folder, ['run', `--label=${label}`])).code).toBe(2);
  });
});
