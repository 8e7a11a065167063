/**
 * What Millrace is for after many runs: on a history of which the truth is known, the report of run 121 names what broke in
 * it, the commits among which it broke, its error, nothing that is chance, and what to do first at its top.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/store/schema/database.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { recordHistory } from '../kit/recorded-history.ts';
import { databaseIn } from '../kit/recorded-run.ts';
import { commitAll, git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { syntheticHistory, syntheticId } from '../kit/synthetic-history.ts';

const BROKEN = syntheticId(7);
const FLAKY = syntheticId(11);
const FIXED = syntheticId(8);
const ids = Array.from({ length: 30 }, (_, index) => syntheticId(index));

const WORK = `
import { existsSync } from 'node:fs';
export default ({ flag }) => {
  if (existsSync(flag)) throw new TypeError("codec.decode is not a function");
};
`;

/** A repository whose database has 119 runs, in which one workstream was flaky and one was broken and fixed. */
async function withHistory(): Promise<string> {
  const workstreams = ids.map((id) => ({
    id,
    steps: [{ module: '../work.mjs', input: { flag: `break-${id}` } }],
  }));
  const folder = makeRepository({
    '.gitignore': '.state/\nreports/\n',
    'work.mjs': WORK,
    'workstreams/all.json': JSON.stringify(workstreams),
  });
  await millrace(folder, ['run']);
  const sql = 'SELECT workstream_id AS id, definition_hash AS hash FROM agent_results';
  const hashes = new Map(query<{ id: string; hash: string }>(folder, sql).map(({ id, hash }) => [id, hash]));
  for (const made of ['.state', 'reports']) rmSync(join(folder, made), { recursive: true });
  const history = syntheticHistory({
    seed: 20,
    runs: 119,
    workstreams: ids.length,
    events: [
      { kind: 'flaky', workstreamId: FLAKY, message: 'read ECONNRESET', rate: 0.2 },
      { kind: 'break', workstreamId: FIXED, message: 'Unexpected token }', from: 60, to: 80 },
    ],
  });
  const connection = openDatabase(databaseIn(folder));
  recordHistory(
    connection,
    history.map((run) => ({
      ...run,
      results: run.results.map((each) => ({ ...each, definitionHash: hashes.get(each.workstreamId) ?? '' })),
    })),
  );
  connection.close();
  return folder;
}

/** That of the run which was stored last: two runs of one second differ in the end of their names only. */
function latestReport(folder: string): string {
  const sql = 'SELECT run_id AS id FROM consolidated_runs ORDER BY rowid DESC LIMIT 1';
  const [last] = query<{ id: string }>(folder, sql);
  return readFileSync(join(folder, 'reports', `multi_agent_consolidated_${last?.id}.md`), 'utf8');
}

test('the report of run 121 names what broke, the commits, the error, nothing that is chance, and what to do first', async () => {
  const folder = await withHistory();
  expect((await millrace(folder, ['run'])).code).toBe(0);
  const good = git(folder, 'rev-parse', 'HEAD').trim();
  writeFiles(folder, { [`break-${BROKEN}`]: '' });
  commitAll(folder);
  const bad = git(folder, 'rev-parse', 'HEAD').trim();
  expect((await millrace(folder, ['run'])).code).toBe(1);
  const runs = query<{ n: number }>(folder, 'SELECT COUNT(*) AS n FROM consolidated_runs');
  expect(runs).toEqual([{ n: 121 }]);

  const report = latestReport(folder);
  const top = report.split('\n').slice(0, 10).join('\n');
  expect(top).toContain(
    `\`${BROKEN}\` failed with a new error (thrown): "TypeError: codec.decode is not a function"`,
  );
  expect(top).toContain(`\`git log --oneline ${good.slice(0, 12)}..${bad.slice(0, 12)}\``);
  expect(top).toContain('`millrace errors ma-run-');
  expect(report).toMatch(/^### 1\. thrown: once, \*\*new\*\*$/m);
  expect(report).toContain(`since then \`${good.slice(0, 12)}..${bad.slice(0, 12)}\``);
  // Neither what was fixed long ago, nor what fails by chance, nor a duration: those of a no-op are noise.
  const said = report.slice(0, report.indexOf('## Timeline'));
  for (const other of [FLAKY, FIXED, 'ECONNRESET', 'Unexpected token', 'slower', 'faster', 'goes with'])
    expect(said.replaceAll(/^\|.*$/gm, '')).not.toContain(other);
});
