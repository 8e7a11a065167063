/** Whatever an agent answers is kept, is read back as it was, and has its place in every form of the report. */
import * as fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { storedDocument } from '../../src/app/run-document.ts';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { Failure } from '../../src/domain/failure.ts';
import type { Json, JsonObject } from '../../src/domain/json.ts';
import { type Outcome, outcomeSchema } from '../../src/domain/outcome.ts';
import { NO_TOKENS } from '../../src/domain/tool.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { reportFormats } from '../../src/report/formats.ts';
import type { Attempt } from '../../src/run/attempt/attempt-runner.ts';
import { executedResult } from '../../src/run/attempt/result.ts';
import { readResults } from '../../src/store/read/results.ts';
import { getRun } from '../../src/store/read/runs.ts';
import { agentContext } from '../kit/agent-context.ts';
import { anyText } from '../kit/any-text.ts';
import { workstream } from '../kit/definitions.ts';
import { documentIn } from '../kit/page.ts';
import { opened, RUN, record } from '../kit/recorded-run.ts';
import { columnCounts } from '../kit/table-cells.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const text = fc.oneof(
  { weight: 8, arbitrary: anyText },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '', '{', 'null', '1e999') },
  { weight: 1, arbitrary: anyText.map((some) => some.repeat(2000)) },
);
const nullable = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { freq: 2 });
const seconds = fc.oneof(fc.constantFrom(0, 1e-9, 1e9), fc.double({ min: 0, max: 1e6, noNaN: true }));
const texts = fc.array(text, { maxLength: 4 });
const named = { message: text, name: text, code: text, stack: text };

const failure: fc.Arbitrary<Failure> = fc.oneof(
  fc.record({
    reason: fc.constant('thrown' as const),
    how: fc.constantFrom('thrown', 'unhandled-rejection', 'uncaught-exception'),
    thrown: fc.record(named),
  }),
  fc.record({
    reason: fc.constant('exit-non-zero' as const),
    exitCode: fc.integer(),
    command: text,
    tail: text,
    log: nullable(text),
  }),
  fc.record({
    reason: fc.constant('acceptance-failed' as const),
    tests: fc.array(fc.record({ name: text, detail: text }), { maxLength: 3 }),
    tail: text,
    log: nullable(text),
  }),
  fc.record({ reason: fc.constant('invalid-result' as const), detail: text }),
  fc.record({
    reason: fc.constant('tool-quota' as const),
    tool: text,
    detail: text,
    tail: text,
    log: nullable(text),
  }),
  fc.record({ reason: fc.constant('merge-conflict' as const), between: texts, files: texts }),
  fc.record({ reason: fc.constant('module-load-failed' as const), module: text, thrown: fc.record(named) }),
);

const count = fc.nat({ max: 1_000_000 });
const counts = fc.record({ total: count, passed: count, failed: count, skipped: count });
const testCase = fc.record({
  suite: text,
  name: text,
  status: fc.constantFrom('passed' as const, 'failed' as const, 'skipped' as const),
  durationSeconds: nullable(seconds),
  message: nullable(text),
});
const acceptance = fc
  .record({
    name: text,
    status: fc.constantFrom('passed' as const, 'failed' as const, 'manual' as const),
    blocking: fc.boolean(),
    durationSeconds: nullable(seconds),
    detail: text,
    logFile: nullable(text),
    format: nullable(text),
    counts: nullable(counts),
    cases: fc.array(testCase, { maxLength: 3 }),
  })
  // Cases are known from what has a format.
  .map((fields) => (fields.format === null ? { ...fields, cases: [] } : fields));
const tool = fc.record({
  tool: text,
  version: nullable(text),
  model: nullable(text),
  sessionId: nullable(text),
  text,
  tokens: fc.constant(NO_TOKENS),
  costUsd: nullable(seconds),
  turns: nullable(count),
  toolCalls: nullable(count),
  limit: nullable(
    fc.record({
      class: fc.constantFrom('rate' as const, 'window' as const, 'cap' as const, 'auth' as const),
      resetsAt: nullable(fc.integer()),
      exact: fc.boolean(),
      text,
    }),
  ),
  durationSeconds: seconds,
});
const step = fc.record({
  id: text,
  kind: fc.constantFrom('module' as const, 'run' as const, 'command' as const, 'tool' as const),
  status: fc.constantFrom('completed' as const, 'failed' as const),
  durationSeconds: seconds,
  exitCode: nullable(fc.integer()),
  tail: text,
  failure: nullable(failure),
  tool: nullable(tool),
});

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** Text as JSON, with names that mean something to JavaScript. */
const output = fc
  .tuple(text, text, fc.json())
  .map(
    ([one, other, any]) =>
      `{${JSON.stringify(one)}:${JSON.stringify(other)},"__proto__":{"x":1},"constructor":${any}}`,
  );

const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    startedAt: fc.nat({ max: 2 ** 42 }),
    durationSeconds: seconds,
    cpuSeconds: nullable(seconds),
    cpuWaitSeconds: nullable(seconds),
    steps: fc.array(step, { maxLength: 3 }),
    tests: fc.array(acceptance, { maxLength: 3 }),
    output: nullable(fc.oneof(output, fc.json())),
    filesModified: texts,
    metrics: fc.dictionary(
      text.filter((name) => name !== '__proto__'),
      finite,
      { maxKeys: 3 },
    ),
    series: fc.dictionary(
      text.filter((name) => name !== '__proto__'),
      fc.record({ points: fc.array(fc.tuple(finite, finite), { maxLength: 3 }), total: fc.nat() }),
      { maxKeys: 3 },
    ),
    outputs: fc.array(
      fc.record({
        path: text,
        bytes: nullable(fc.nat()),
        sha256: nullable(text),
        problem: nullable(text),
      }),
      { maxLength: 3 },
    ),
    warnings: texts,
    failure: nullable(failure),
    logFile: nullable(text),
  })
  .map(
    (fields): Outcome => ({
      ...fields,
      status: fields.failure === null ? 'completed' : 'failed',
      endedAt: fields.startedAt + 1000,
    }),
  );

const utf8 = (some: string): string => some.toWellFormed();

/** What crosses a boundary as UTF-8: half of a pair has no form in it, and -0 none in JSON. */
const asStored = (value: Json): Json => {
  if (typeof value === 'string') return utf8(value);
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(asStored);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [utf8(name), asStored(one)]));
};

const jsonOf = (value: unknown): Json => {
  const json: Json = JSON.parse(JSON.stringify(value));
  return asStored(json);
};

/** An error without a word has no pattern. */
const WORDLESS: Outcome = {
  startedAt: 0,
  endedAt: 1000,
  durationSeconds: 1,
  cpuSeconds: null,
  cpuWaitSeconds: null,
  steps: [],
  tests: [],
  output: null,
  filesModified: [],
  metrics: {},
  series: {},
  outputs: [],
  warnings: [],
  status: 'failed',
  failure: { reason: 'thrown', how: 'thrown', thrown: { message: '', name: '', code: '', stack: '' } },
  logFile: null,
};

/** One of line ends and colours has none either. */
const BLANK: Outcome = {
  ...WORDLESS,
  failure: { reason: 'workspace-error', detail: '\u001b[31m\n \n\u001b[0m' },
};

const attemptOf = (definition: Workstream, outcome: Outcome): Attempt => ({
  workstream: definition,
  context: agentContext(),
  number: 1,
  workspace: null,
  outcome,
  changes: null,
  outsideScope: [],
  merge: null,
  gaveUp: null,
  compensation: [],
  candidates: [],
  limitWaits: [],
  parked: null,
  reviews: [],
});

test('any outcome is read back as it was, and every report of it is whole', () => {
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1, maxLength: 6 }), (outcomes) => {
      const results = outcomes.map((answer, index): AgentResult => {
        const title = answer.warnings[0] ?? 'x';
        const extra: JsonObject = JSON.parse('{"__proto__":{"a":1},"constructor":[]}');
        const definition = workstream(`ws-${index}`, [], { title, extra });
        return executedResult(RUN, attemptOf(definition, outcomeSchema.parse(structuredClone(answer))), []);
      });
      const connection = opened(temporaryFolder());
      record(connection, results);
      expect(jsonOf([...readResults(connection, RUN)])).toEqual(jsonOf(results));
      const run = getRun(connection, RUN);
      const document = storedDocument(connection, RUN, 'runs.db');
      if (run === null || document === null) throw new Error('the run is not there');
      expect(run.totals.completed + run.totals.failed + run.totals.skipped).toBe(results.length);
      const [markdown, html, json, junit] = reportFormats.map((format) =>
        [...format.render(document, 'reports')].join(''),
      );
      const { github, others } = columnCounts(markdown ?? '');
      expect(others).toEqual(github);
      for (const widths of github) expect(new Set(widths.split(' ')).size).toBe(1);
      expect(documentIn(html ?? '').workstreams.map(({ id }) => id)).toEqual(
        results.map(({ workstreamId }) => workstreamId),
      );
      expect(JSON.parse(json ?? '').workstreams).toHaveLength(results.length);
      expect(XMLValidator.validate(junit ?? '')).toBe(true);
      connection.close();
    }),
    { numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 8), examples: [[[WORDLESS, BLANK]]] },
  );
});
