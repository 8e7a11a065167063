/** What a workstream does has the same row in a run as the outcome that it has where it is executed alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { hostileWorkstreams } from '../engine/hostile.ts';
import { baseFolder, countsOf, observe, oneByOne, type Seen, steady } from '../engine/observed.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { seededRandom } from '../kit/random.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const count = Number(process.env['HOSTILE_COUNT'] ?? 300);
const seed = Number(process.env['HOSTILE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

interface Row {
  id: string;
  status: string;
  reason: string | null;
  explanation: string | null;
  warnings: string;
  files: string;
  output: string | null;
  metrics: string;
  log: string | null;
}

const ROWS = `SELECT workstream_id AS id, status, reason, explanation, warnings, files_modified AS files,
  metadata -> '$.output' AS output, coalesce(metadata -> '$.metrics', '{}') AS metrics, log_file AS log FROM agent_results`;

/** As it is written in a file of workstreams. */
function written({ id, timeoutSeconds, ...step }: Step): object {
  const limit = timeoutSeconds === null ? {} : { timeout_seconds: timeoutSeconds };
  if (step.kind === 'module')
    return { id, ...limit, module: step.module, export: step.export, input: step.input };
  if (step.kind === 'command') return { id, ...limit, command: step.command };
  if (step.kind === 'run') return { id, ...limit, run: step.run };
  throw new TypeError('there is no such step among them');
}

/** The names of runs differ. */
const nameless = (text: string): string => text.replaceAll(/ma-run-[\d-]+/g, 'RUN');
const parsed = (json: string | null): unknown => JSON.parse(nameless(json ?? 'null'));

function rowOf(row: Row, folder: string, begun: number) {
  const own = (text: string): string => nameless(steady(text, folder));
  return {
    begun,
    status: row.status,
    reason: row.reason,
    explanation: row.explanation && own(row.explanation),
    warnings: parsed(own(row.warnings)),
    files: parsed(row.files),
    output: parsed(row.output),
    metrics: parsed(row.metrics),
    log: row.log && own(readFileSync(row.log, 'latin1')),
  };
}

/** The row that belongs to an outcome. */
const expectedOf = ({ begun, outcome, log }: Seen) => ({
  begun,
  status: outcome.status,
  reason: outcome.failure?.reason ?? null,
  explanation: outcome.failure && nameless(describeFailure(outcome.failure)),
  warnings: outcome.warnings,
  files: outcome.filesModified,
  output: parsed(outcome.output),
  metrics: outcome.metrics,
  log,
});

test(`what a workstream does has the same row in a run as its outcome alone (HOSTILE_SEED=${seed})`, async () => {
  const base = baseFolder();
  const workstreams = hostileWorkstreams(base, count, seededRandom(seed));
  const alone = await observe(base, workstreams, oneByOne);
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': workstreams.map(({ definition: { id, title, steps }, timeoutSeconds }) => ({
      id,
      title,
      timeout_seconds: timeoutSeconds,
      steps: steps.map(written),
    })),
  });
  const options = ['-j', '2', '--grace', '0.2', '--max-output', '1', '--agent-memory', '96'];
  expect((await millrace(folder, ['run', ...options])).code).toBe(1);
  const begun = countsOf(readFileSync(join(folder, 'begun'), 'utf8').split('\n'));
  const rows = new Map(
    query<Row>(folder, ROWS).map((row) => [row.id, rowOf(row, folder, begun.get(row.id) ?? 0)]),
  );
  const pairs = workstreams.map(({ does, definition: { id } }) => {
    const seen = alone.get(id);
    return { id, does, row: rows.get(id), expected: seen && expectedOf(seen) };
  });
  const differing = pairs.filter(
    ({ row, expected }) => row === undefined || !isDeepStrictEqual(row, expected),
  );
  expect(differing.map(({ id, does, row }) => ({ id, does, row }))).toEqual(
    differing.map(({ id, does, expected }) => ({ id, does, row: expected })),
  );
}, 600_000);
