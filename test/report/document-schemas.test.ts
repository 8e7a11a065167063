/** The published JSON Schemas are those of the code, and what is printed is what they say. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { storedDocument } from '../../src/app/run-document.ts';
import type { RunDocument, RunDocumentHead } from '../../src/domain/run-record.ts';
import { jsonDocument } from '../../src/report/document.ts';
import { documentJsonSchema, documentSchemas } from '../../src/report/document-schemas.ts';
import { markdownReport } from '../../src/report/markdown.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { agentResult } from '../kit/consolidated-result.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { OLD_RUN, olderDatabases } from '../store/older-system.ts';
import { comparison, documentOf, exampleHead } from './example-result.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Name = keyof typeof documentSchemas;
const NAMES: Name[] = [
  'run',
  'runs',
  'status',
  'errors',
  'agents',
  'compare',
  'error-history',
  'flaky',
  'trends',
  'why',
  'patterns',
  'notification',
];

test('there is a schema of every document', () => {
  expect(Object.keys(documentSchemas)).toEqual(NAMES);
});

test.each(NAMES)('schemas/%s.schema.json is what the code makes (vitest -u writes it)', async (name) => {
  const biome = `${root}node_modules/.bin/biome`;
  const formatted = execFileSync(biome, ['format', `--stdin-file-path=${name}.schema.json`], {
    cwd: root,
    input: JSON.stringify(documentJsonSchema(name)),
    encoding: 'utf8',
  });
  await expect(formatted).toMatchFileSnapshot(`${root}schemas/${name}.schema.json`);
});

/** What is wrong with a document; also a field that its schema does not name. */
function faults(name: Name, document: unknown): unknown {
  const validate = new Ajv2020({ strictTypes: false }).compile(documentJsonSchema(name, true));
  return validate(document) ? null : validate.errors;
}

const written = (head: RunDocumentHead): unknown =>
  JSON.parse([...jsonDocument({ ...documentOf([agentResult()]), head })].join(''));

describe('a document of a run is as its schema says', () => {
  test('with a bit of everything', () => {
    expect(faults('run', written(exampleHead()))).toBeNull();
  });

  test('executed by hosts of a queue', () => {
    const host = { host: 'a', agents: 1, workstreams: 2, completed: 1, failed: 1, busySeconds: 1.5, lost: 0 };
    expect(faults('run', written({ ...exampleHead(), hosts: [host] }))).toBeNull();
  });

  test('compared with the run before', () => {
    expect(faults('run', written({ ...exampleHead(), comparison: comparison() }))).toBeNull();
  });

  test('recorded by an older system', () => {
    for (const connection of olderDatabases()) {
      const document = storedDocument(connection, OLD_RUN, 'runs.db');
      if (document === null) throw new Error('the run is not there');
      const json: unknown = JSON.parse([...jsonDocument(document)].join(''));
      expect(faults('run', json)).toBeNull();
      expect(json).toMatchObject({ workstreams: [{ workstreamId: 'ws-1' }, {}, {}, {}] });
    }
  });

  test('but not without a field, or with one more', () => {
    const { database: _, ...rest } = exampleHead();
    expect(faults('run', { ...rest, workstreams: [] })).not.toBeNull();
    expect(faults('run', { ...exampleHead(), workstreams: [], more: 1 })).not.toBeNull();
  });
});

/** A folder with something of each kind: what completes, fails, is skipped and can't be run. */
function realFolder(): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-good', steps: [{ module: '../good.mjs' }], acceptance_tests: ['true'] },
      { id: 'ws-bad', steps: [{ run: 'echo "error: no" >&2; exit 3' }] },
      { id: 'ws-after', depends_on: ['ws-bad'], steps: [{ run: 'true' }] },
      { id: 'ws-thrown', steps: [{ module: '../thrown.mjs' }], circuit_breaker: { max_attempts: 2 } },
      { id: 'ws-broken', steps: [] },
    ],
    'good.mjs': 'export default () => ({ output: { primes: [2, 3] }, metrics: { rate: 0.5 } });',
    'thrown.mjs': 'export default () => { throw new RangeError("a | b"); };',
  });
  return folder;
}

test('what the commands print of a real run is as the schemas say', async () => {
  const folder = realFolder();
  const run = await millrace(folder, ['run', '--json']);
  expect(run.code).toBe(1);
  expect(faults('run', JSON.parse(run.stdout))).toBeNull();
  for (const [name, ...args] of [
    ['run', 'show', 'latest', '--json'],
    ['run', 'report', 'latest', '--format', 'json'],
    ['runs', 'runs', '--json'],
    ['status', 'status', '--json'],
    ['errors', 'errors', '--json'],
    ['agents', 'agents', '--json'],
  ] as const) {
    const { stdout, stderr } = await millrace(folder, args);
    expect(stderr).toBe('');
    expect(faults(name, JSON.parse(stdout))).toBeNull();
  }
});

test('what the commands print of many runs is as the schemas say', async () => {
  const folder = realFolder();
  for (let count = 0; count < 2; count += 1) await millrace(folder, ['run']);
  const patterns = await millrace(folder, ['patterns', '--json']);
  const [pattern] = JSON.parse(patterns.stdout).patterns;
  expect(faults('patterns', JSON.parse(patterns.stdout))).toBeNull();
  for (const [name, ...args] of [
    ['compare', 'compare'],
    ['error-history', 'errors', '--history'],
    ['error-history', 'errors', '--history', pattern.id],
    ['flaky', 'flaky'],
    ['trends', 'trends'],
    ['why', 'why', 'ws-after'],
    ['why', 'why', 'ws-thrown'],
  ] as const) {
    const { stdout, stderr } = await millrace(folder, [...args, '--json']);
    expect(stderr).toBe('');
    expect(faults(name, JSON.parse(stdout))).toBeNull();
  }
});

test('the report of a run is made from its document alone: from the printed one comes the same', async () => {
  const folder = realFolder();
  await millrace(folder, ['run']);
  await millrace(folder, ['run']);
  const json = await millrace(folder, ['report', 'latest', '--format', 'json']);
  const markdown = await millrace(folder, ['report', 'latest', '--format', 'md']);
  const document: RunDocument = JSON.parse(json.stdout);
  expect(document.comparison).not.toBeNull();
  expect(markdownReport(document, { folder: join(folder, 'reports') })).toBe(markdown.stdout);
});
