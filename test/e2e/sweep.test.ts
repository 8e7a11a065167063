/** A sweep from its definition to the table that a person opens, and the queries that the documentation gives. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openForReading } from '../../src/store/schema/database.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { databaseIn } from '../kit/recorded-run.ts';

/** Imports a package of the project, as a module of a user does. */
const MODEL = `
import { scale } from 'tiny-stats';
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
interface Input { rate: number; seed: number }
export default function model({ rate, seed }: Input, context: any) {
  for (let epoch = 0; epoch < 20; epoch += 1) context.metric('loss', 1 / (epoch + 1), epoch);
  mkdirSync(join(context.workspace, 'out'), { recursive: true });
  writeFileSync(join(context.workspace, 'out', rate + '-' + seed + '.txt'), String(seed));
  if (seed === 13) throw new Error('unlucky');
  return {
    output: { mean: scale(rate, seed), fit: { loss: rate / seed, histogram: [1, seed] }, note: '=1+1,"' },
    metrics: { ops: seed * 10 },
  };
}
`;

const RATES = [10, 0.5, 0.1, 2];
const SEEDS = Array.from({ length: 50 }, (_, n) => n + 1);

let folder = '';
let csv = '';

const python = (program: string): unknown =>
  JSON.parse(execFileSync('python3', ['-c', program], { cwd: folder, encoding: 'utf8' }));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-sweep-'));
  writeFiles(folder, {
    'node_modules/tiny-stats/package.json': {
      name: 'tiny-stats',
      version: '1.0.0',
      type: 'module',
      exports: './index.js',
    },
    'node_modules/tiny-stats/index.js': 'export const scale = (rate, seed) => rate * seed;',
    'workstreams/model.ts': MODEL,
    'workstreams/model.json': {
      id: 'ws-model',
      matrix: { rate: RATES, seed: SEEDS },
      outputs: ['out/${{ matrix.rate }}-${{ matrix.seed }}.txt'],
      steps: [{ module: './model.ts', input: { rate: '${{ matrix.rate }}', seed: '${{ matrix.seed }}' } }],
    },
  });
  // The second run makes a history.
  await millrace(folder, ['-j', '2']);
  const { code } = await millrace(folder, ['-j', '2']);
  expect(code).toBe(1);
  const printed = await millrace(folder, ['results', '--format', 'csv']);
  expect(printed.code).toBe(0);
  csv = printed.stdout;
  writeFileSync(join(folder, 'results.csv'), csv);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the results of a sweep of 200', () => {
  test('are rows of a CSV in the order of their values, which Python reads', () => {
    const rows = python(
      "import csv,json; print(json.dumps(list(csv.DictReader(open('results.csv', newline='')))))",
    );
    expect(rows).toHaveLength(200);
    expect(rows).toMatchObject({
      0: {
        workstream: 'ws-model-rate-0.1-seed-1',
        status: 'completed',
        rate: '0.1',
        seed: '1',
        'fit.loss': '0.1',
        'fit.histogram': '[1,1]',
        note: '\'=1+1,"',
        ops: '10',
      },
      1: { rate: '0.1', seed: '2' },
      12: { status: 'failed', reason: 'thrown', rate: '0.1', seed: '13', mean: '' },
      199: { rate: '10', seed: '50', mean: '500' },
    });
  });

  test('are imported into SQLite, where numbers are numbers', () => {
    const found = python(`
import csv, json, sqlite3
rows = list(csv.reader(open('results.csv', newline='')))
database = sqlite3.connect(':memory:')
database.execute('CREATE TABLE results (%s)' % ', '.join('"%s" NUMERIC' % name for name in rows[0]))
database.executemany('INSERT INTO results VALUES (%s)' % ', '.join('?' * len(rows[0])), rows[1:])
print(json.dumps(database.execute('SELECT rate, COUNT(*), MAX(mean) FROM results WHERE status = \\'completed\\' GROUP BY rate ORDER BY rate').fetchall()))`);
    expect(found).toEqual([
      [0.1, 49, 5],
      [0.5, 49, 25],
      [2, 49, 100],
      [10, 49, 500],
    ]);
  });

  test('stand in the report once, as a table, with what was reported over time', () => {
    const [report = ''] = execFileSync('sh', ['-c', 'cat reports/*.md'], { cwd: folder, encoding: 'utf8' })
      .split('\n# Run')
      .slice(-1);
    expect(report.match(/### Results/g)).toHaveLength(1);
    expect(report).toMatch(/\| Workstream +\| Status +\| rate +\| seed/);
    expect(report).not.toContain('### Outputs');
    expect(report).toContain('### Metrics over time');
    expect(report).toMatch(/\| loss +\| █[▁-█]+ /);
    const withSeries = [...report.matchAll(/`(ws-model-\S+)` +\| loss/g)].map(([, id = '']) => id);
    expect(withSeries).toEqual(withSeries.toSorted(new Intl.Collator('en', { numeric: true }).compare));
    expect(report).toContain('140 more rows');
  });

  test('are JSON with names', async () => {
    const { stdout } = await millrace(folder, ['results', '--json']);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ version: 1, parameters: ['rate', 'seed'], total: 200 });
    expect(document.rows[0]).toMatchObject({
      workstreamId: 'ws-model-rate-0.1-seed-1',
      base: 'ws-model',
      parameters: { rate: 0.1, seed: 1 },
      outputs: { mean: 0.1, 'fit.loss': 0.1, 'fit.histogram': [1, 1] },
      metrics: { ops: 10 },
    });
  });
});

test('a sweep keeps its values, its series and its files with each result', async () => {
  const { stdout } = await millrace(folder, ['show', '--json', 'latest']);
  const results: { workstreamId: string; metadata: Record<string, unknown>; filesModified: string[] }[] =
    JSON.parse(stdout).workstreams;
  const first = results.find(({ workstreamId }) => workstreamId === 'ws-model-rate-0.1-seed-1');
  expect(first).toMatchObject({
    filesModified: ['out/0.1-1.txt'],
    metadata: {
      base: 'ws-model',
      matrix: { rate: 0.1, seed: 1 },
      series: { loss: { total: 20 } },
      outputs: [{ path: 'out/0.1-1.txt', bytes: 1, problem: null }],
    },
  });
});

const page = readFileSync(fileURLToPath(new URL('../../docs/queries.md', import.meta.url)), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);

test('the page of queries has twenty', () => {
  expect(blocks('sql')).toHaveLength(20);
});

/** Those that find nothing in a history without such a case. */
const MAY_BE_EMPTY = [18, 19];

test.each(blocks('sql').map((sql, index) => [index + 1, sql] as const))(
  'query %i of the documentation has an answer',
  (number, sql) => {
    const connection = openForReading(databaseIn(folder));
    if (connection === null) throw new Error('there is no database');
    const rows = connection.prepare(sql).all();
    connection.close();
    if (!MAY_BE_EMPTY.includes(number)) expect(rows).not.toEqual([]);
  },
);

const hasPackage = (name: string): boolean => {
  try {
    execFileSync('python3', ['-c', `import ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

test.each(blocks('python').map((program, index) => [index + 1, program] as const))(
  'program %i of the documentation runs where its packages are there, and compiles in any case',
  (_, program) => {
    const isRunnable = ['pandas', 'duckdb'].every((name) => !program.includes(name) || hasPackage(name));
    const code = isRunnable
      ? program
      : `compile(${JSON.stringify(program)}, 'page', 'exec'); print('compiled')`;
    expect(execFileSync('python3', ['-c', code], { cwd: folder, encoding: 'utf8' })).not.toBe('');
  },
);
