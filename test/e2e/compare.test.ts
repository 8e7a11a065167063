/** A break, a fix and a flaky workstream in a real repository, and what the program says of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { comparisonDocumentSchema } from '../../src/domain/history/compare-document.ts';
import { flakyDocumentSchema } from '../../src/domain/history/failure-documents.ts';
import { millrace } from '../kit/command.ts';
import { commitAll, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';

const WORKSTREAMS = JSON.stringify([
  { id: 'ws-steady', steps: [{ run: 'true' }] },
  {
    id: 'ws-build',
    steps: [{ run: 'grep -q good source.txt || { echo "error: no good source" >&2; exit 3; }' }],
  },
  // Fails in each third run, whatever is committed.
  {
    id: 'ws-chance',
    steps: [{ run: 'echo >> .state/count; test $(( $(wc -l < .state/count) % 3 )) -ne 0' }],
  },
]);

interface Project {
  folder: string;
  /** Commits another content of source.txt. */
  commit: (source: string) => string;
  /** Runs everything, or these. Returns the id of the run. */
  run: (...args: string[]) => Promise<string>;
}

function project(): Project {
  const folder = makeRepository({
    'source.txt': 'good\n',
    'workstreams/all.json': WORKSTREAMS,
    '.gitignore': '.state/\nreports/\n',
  });
  return {
    folder,
    commit: (source) => {
      writeFileSync(join(folder, 'source.txt'), source);
      return commitAll(folder);
    },
    run: async (...args) => {
      await millrace(folder, ['run', ...args]);
      const sql = 'SELECT run_id AS id FROM consolidated_runs ORDER BY rowid DESC LIMIT 1';
      return query<{ id: string }>(folder, sql)[0]?.id ?? '';
    },
  };
}

const lines = (text: string): string[] => text.split('\n').map((line) => line.trimEnd());

describe('compare', () => {
  test('names what broke and the commits, and fails; then what was fixed, and does not', async () => {
    const { folder, commit, run } = project();
    const good = commit('good again\n');
    const first = await run('ws-steady', 'ws-build');
    const bad = commit('bad\n');
    const second = await run('ws-steady', 'ws-build');
    const broken = await millrace(folder, ['compare']);
    expect([broken.code, broken.stderr]).toEqual([1, '']);
    const text = lines(broken.stdout);
    expect(text[0]).toBe(`1 new failure since ${first}.`);
    expect(text).toContain(`${first} ${good.slice(0, 10)} → ${second} ${bad.slice(0, 10)}`);
    expect(text).toContain('New failures (1)');
    const shown = JSON.parse((await millrace(folder, ['show', 'latest', '--json'])).stdout);
    expect(shown).toMatchObject({
      comparison: { base: { runId: first }, new: { shown: [{ workstreamId: 'ws-build' }], total: 1 } },
      errors: [{ history: { state: 'new', commitRange: { from: good, to: bad } } }],
    });
    const row = text.find((line) => line.startsWith('ws-build'));
    expect(row).toContain('exit-non-zero');
    expect(row).toContain(`${good.slice(0, 10)}..${bad.slice(0, 10)}`);
    expect(broken.stdout).not.toContain('ws-steady');

    commit('good\n');
    await run('ws-steady', 'ws-build');
    const fixed = await millrace(folder, ['compare']);
    expect([fixed.code, lines(fixed.stdout)[0]]).toEqual([0, `Nothing new broke since ${second}: 1 fixed.`]);
    const whole = await millrace(folder, ['compare', first]);
    expect([whole.code, lines(whole.stdout)[0]]).toEqual([0, `Nothing new broke since ${first}.`]);
  });

  test('takes ranges, labels and places, and prints JSON and Markdown', async () => {
    const { folder, commit, run } = project();
    await run('--label', 'nightly');
    await run();
    commit('bad\n');
    const last = await run('--label', 'nightly');
    const byLabel = await millrace(folder, ['compare', 'nightly~1', 'nightly', '--json']);
    expect(byLabel.code).toBe(1);
    const document = comparisonDocumentSchema.parse(JSON.parse(byLabel.stdout));
    expect(document.comparison.head).toMatchObject({ runId: last, label: 'nightly', isDirty: false });
    expect(document.comparison.new.shown.map(({ workstreamId }) => workstreamId)).toContain('ws-build');
    const range = await millrace(folder, ['compare', 'latest~2..latest~1', 'latest', '--format', 'md']);
    expect(range.stdout).toContain('## New failures (2)');
    expect(range.stdout).toMatch(/\| ws-build +\|/);
    expect(range.stdout).toContain('(2 runs) → ');
    const wrong = await millrace(folder, ['compare', 'latest..latest~1', 'latest']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('is no range of runs')]);
    const open = await millrace(folder, ['compare', '..latest']);
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('Name its first and its last')]);
    const flaky = await millrace(folder, ['flaky']);
    const errors = await millrace(folder, ['errors', '--format', 'json']);
    expect(JSON.parse(errors.stdout)).toMatchObject({ version: 1, run_id: last });
    expect((await millrace(folder, ['errors', '--format', 'md'])).code).toBe(2);
    expect(flaky.stdout).toBe('Nothing was flaky in the last 2 runs labelled "nightly".\n');
  });

  test('has nothing to compare in the first run, or where no earlier one ran the same', async () => {
    const { folder, run } = project();
    expect((await millrace(folder, ['compare'])).code).toBe(4);
    const first = await run('ws-steady');
    const { code, stderr } = await millrace(folder, ['compare']);
    expect([code, stderr]).toEqual([
      4,
      `millrace: No run before ${first} ran the same, so there is nothing to compare it with. To compare it with another run: millrace compare RUN ${first}\n`,
    ]);
    const other = await run('ws-build');
    expect((await millrace(folder, ['compare'])).stderr).toContain(`No run before ${other} ran the same`);
    const asked = await millrace(folder, ['compare', first, other]);
    expect([asked.code, lines(asked.stdout).slice(2)]).toEqual([
      0,
      [expect.stringContaining(' → '), '', 'Added (1)', 'ws-build', '', 'Removed (1)', 'ws-steady', ''],
    ]);
  });
});

describe('flaky', () => {
  test('names what fails now and then, with its rate and the evidence, and nothing that broke', async () => {
    const { folder, commit, run } = project();
    expect((await millrace(folder, ['flaky'])).code).toBe(4);
    for (let count = 0; count < 5; count += 1) await run();
    commit('bad\n');
    await run();
    const { code, stdout } = await millrace(folder, ['flaky']);
    expect(code).toBe(0);
    expect(lines(stdout)[0]).toBe('1 workstream was flaky in the last 6 runs.');
    expect(stdout).toMatch(/^ws-chance +33 % of 6 runs \(\d+–\d+ %\) +passed again once/m);
    expect(stdout).not.toContain('ws-build');
    const json = await millrace(folder, ['flaky', '--json', '--last', '4']);
    const document = flakyDocumentSchema.parse(JSON.parse(json.stdout));
    expect(document.runs.count).toBe(4);
    for (const last of ['0', '1.5', '100000'])
      expect((await millrace(folder, ['flaky', '--last', last])).code).toBe(2);
  });
});
