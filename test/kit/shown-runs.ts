/** One database with a run of each kind that the dashboard shows differently. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstPatternId, shapeId } from '../../src/analysis/patterns/error-shape.ts';
import type { AgentResult, Constraints } from '../../src/domain/agent-result.ts';
import type { RunEnd } from '../../src/domain/recorder.ts';
import type { EventOf, RunEvent } from '../../src/domain/run-event.ts';
import type { ToolReport } from '../../src/domain/tool-report.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { type Origin, SqliteRecorder } from '../../src/store/write/recorder.ts';
import type { ResultFields } from './completed-result.ts';
import { testResult, workstream } from './definitions.ts';
import { begins, end, failed, finished, result, SUMMARY, skipped, started } from './recorded-run.ts';

/** Id of the error of two workstreams of `mixed`. */
export const REFUSED = firstPatternId(
  shapeId('exit-non-zero', 'Error: connect ECONNREFUSED <*>.<*>.<*>.<*>:<*>'),
);

/** Ids of the runs, by what they are. The last are the newest. */
export const SHOWN = {
  before: 'ma-run-20260101-010000',
  sweep: 'ma-run-20260101-020000',
  backlog: 'ma-run-20260101-030000',
  allFailed: 'ma-run-20260101-040000',
  allSkipped: 'ma-run-20260101-050000',
  oddTitles: 'ma-run-20260101-060000',
  fanOut: 'ma-run-20260101-070000',
  interrupted: 'ma-run-20260101-090000',
  mixed: 'ma-run-20260101-100000',
  oddLive: 'ma-run-20260101-110000',
  live: 'ma-run-20260101-120000',
} as const;
export type ShownRun = keyof typeof SHOWN;

/** Runs that are under way began a moment ago. */
const LIVE_SINCE: Partial<Record<ShownRun, number>> = {
  oddLive: Date.now() - 50_000,
  live: Date.now() - 40_000,
};

/** When a run began, in milliseconds since 1970. */
const beginOf = (run: ShownRun): number =>
  LIVE_SINCE[run] ?? Date.parse(SHOWN[run].replace(/ma-run-(....)(..)(..)-(..)(..).*/, '$1-$2-$3T$4:$5:00Z'));

const iso = (time: number): string => new Date(time).toISOString();

/** When an execution was under way, in seconds since the start of its run. */
function at(
  run: ShownRun,
  from: number,
  seconds: number,
): Pick<AgentResult, 'startTime' | 'endTime' | 'durationSeconds'> {
  const begin = beginOf(run) + from * 1000;
  return { startTime: iso(begin), endTime: iso(begin + seconds * 1000), durationSeconds: seconds };
}

const needing = (...ids: string[]): Constraints => ({
  dependsOn: ids.map((id) => ({ id, when: 'completed' })),
  conflictGroup: null,
  scopes: [],
  parallelOk: true,
  gate: null,
});

/** Skipped because of a dependency that failed. */
const heldBack = (id: string, by: string, metadata: ResultFields['metadata'] = {}): AgentResult =>
  skipped(id, {
    explanation: `It needs "${by}", which failed.`,
    failure: { reason: 'dependency-failed', dependency: by, detail: 'failed' },
    metadata: { constraints: needing(by), ...metadata },
  });

/** Failed with a line of output that tells of it, and a pattern. */
const broken = (id: string, line: string, fields: ResultFields = {}): AgentResult =>
  failed(id, `\`npm test\` ended with exit code 1: ${line}`, {
    reason: 'exit-non-zero',
    errors: [{ type: 'exit-non-zero', message: `\`npm test\` ended with exit code 1: ${line}` }],
    failure: null,
    pattern: line.replaceAll(/\d+/g, '<*>'),
    ...fields,
    metadata: {
      tail: `> test\n> node --test\n\n${line}\n    at run (/srv/work/${id}.js:12:7)\n`,
      ...fields.metadata,
    },
  });

/** Titles that a page has trouble with: long ones, in one word, from right to left, and in pictures. */
const ODD_TITLES = [
  `Rebuild ${'the index of the archive of all orders since the beginning of the year and '.repeat(4)}verify it`,
  `x${'averylongwordwithoutanyplacetobreak'.repeat(9)}`,
  'בדיקה של כל ההזמנות מהשנה האחרונה (2026) — orders/השנה',
  'اختبار الفهرس الكامل للأرشيف',
  '🚀🔥 Ship it 👩‍👩‍👧‍👦 to 🇨🇭 and 🏳️‍🌈 → done ✅',
  '日本語の題名はとても長くて、どこでも改行できるはずです。',
  '<b>bold</b> & "quoted" `code` | pipe',
];

/** The id of the workstream with one of the odd titles. */
export const oddId = (index: number): string =>
  `${'ws-with-a-rather-long-name-that-says-it-all-'.repeat(2)}${index}`;

const TOOL: ToolReport = {
  tool: 'claude',
  version: '2.1.0',
  model: 'claude-sonnet-4-5',
  sessionId: 's-1',
  text: 'All done: I implemented the parser and every test passes.',
  tokens: { input: 120_000, output: 4200, cacheRead: 90_000, cacheWrite: 0, reasoning: null },
  costUsd: 0.42,
  turns: 12,
  toolCalls: 31,
  durationSeconds: 41,
  limit: null,
};

const passedTests = testResult('npm test', 'passed', {
  durationSeconds: 3,
  format: 'tap',
  counts: { total: 2, passed: 2, failed: 0, skipped: 0 },
});
const failedTests = testResult('npm test', 'failed', {
  durationSeconds: 2,
  detail: 'It ended with exit code 1.',
  format: 'tap',
  counts: { total: 2, passed: 1, failed: 1, skipped: 0 },
  cases: [
    {
      suite: 'test/printer.test.ts',
      name: 'indents by two spaces',
      status: 'failed',
      durationSeconds: 0.02,
      message: 'expected 3 spaces, found 2',
    },
    {
      suite: 'test/printer.test.ts',
      name: 'ends with a line end',
      status: 'passed',
      durationSeconds: 0.01,
      message: null,
    },
  ],
});

const tested = (...tests: (typeof passedTests)[]): Pick<ResultFields, 'testResults'> => ({
  testResults: {
    total: tests.filter(({ status }) => status !== 'manual').length,
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length,
    manual: tests.filter(({ status }) => status === 'manual').length,
    cases: { total: 2, passed: 1, failed: 1, skipped: 0 },
    tests,
  },
});

/** What a coding agent was told to do, and what came of it. */
function task(id: string, from: number, fields: ResultFields = {}): AgentResult {
  const times = at('backlog', from, 41);
  return result(id, {
    ...times,
    agentId: `agent-${(from % 3) + 1}`,
    filesModified: [`src/${id}.ts`, `test/${id}.test.ts`],
    commitsCreated: ['0123456789abcdef0123456789abcdef01234567'],
    logFile: `.state/logs/${id}.log`,
    ...tested(passedTests),
    ...fields,
    metadata: {
      title: `Write the ${id.slice(3)}`,
      tools: [TOOL],
      steps: [{ id: 'step-1', kind: 'tool', status: 'completed', duration_seconds: 41, exit_code: 0 }],
      changes: {
        source: 'git',
        files: [
          { path: `src/${id}.ts`, from: null, status: 'added', linesAdded: 120, linesRemoved: 0 },
          { path: `test/${id}.test.ts`, from: null, status: 'modified', linesAdded: 30, linesRemoved: 4 },
        ],
        commits: ['0123456789abcdef0123456789abcdef01234567'],
        branch: `millrace/run/${id}`,
        base: 'aaaaaaaaaa',
        head: 'bbbbbbbbbb',
        contentHash: id,
        conflictMarkers: [],
        notes: [],
      },
      ...fields.metadata,
    },
  });
}

const backlog = (): AgentResult[] => [
  task('ws-parser', 0),
  task('ws-tokens', 1, {
    attempts: 2,
    metadata: {
      earlierAttempts: [
        {
          attempt: 1,
          agentId: 'agent-2',
          tool: 'claude',
          model: 'claude-sonnet-4-5',
          reason: 'acceptance-failed',
          explanation: '`npm test` ended with exit code 1.',
          failure: null,
          pattern: null,
          startTime: iso(beginOf('backlog') + 500),
          durationSeconds: 0.5,
          costUsd: 0.11,
          inputTokens: 1000,
          outputTokens: 100,
          contentHash: 'one',
          logFile: null,
        },
      ],
    },
  }),
  task('ws-printer', 43, {
    status: 'failed',
    reason: 'acceptance-failed',
    explanation: 'The acceptance test `npm test` failed: expected 3 spaces, found 2.',
    errors: [{ type: 'acceptance-failed', message: 'The acceptance test `npm test` failed.' }],
    pattern: 'expected <*> spaces, found <*>',
    ...tested(failedTests),
    metadata: { tail: 'not ok 1 - indents by two spaces\nexpected 3 spaces, found 2\n' },
  }),
  task('ws-cache', 44, {
    status: 'failed',
    reason: 'no-changes',
    explanation: 'claude says that it is done, but nothing has changed.',
    errors: [{ type: 'no-changes', message: 'claude says that it is done, but nothing has changed.' }],
    pattern: 'nothing has changed',
    filesModified: [],
    commitsCreated: [],
    metadata: { changes: null },
  }),
  task('ws-config', 85, {
    ...tested(passedTests, testResult('Look at the colours', 'manual', { detail: 'Are they readable?' })),
    warnings: ['It took 3 turns more than usual.'],
  }),
];

/** A sweep of which two members fail. */
const sweep = (): AgentResult[] =>
  [0.001, 0.003, 0.01, 0.03, 0.1].flatMap((rate, row) =>
    [32, 64, 128, 256].map((size, column): AgentResult => {
      const id = `train-${row * 4 + column + 1}`;
      const fields: ResultFields = {
        ...at('sweep', row * 6 + column / 2, 1 + size / 64),
        agentId: `agent-${column + 1}`,
        metadata: {
          title: `Train with rate ${rate} and size ${size}`,
          base: 'train',
          matrix: { rate, size },
          output: { loss: 4 / (1 + rate * size), accuracy: 1 - rate / 2 },
          series: {
            loss: {
              points: [
                [1, 4],
                [2, 3],
                [3, 1.5],
                [4, 1.2],
              ],
              total: 4,
            },
          },
        },
      };
      return rate > 0.09 && column < 2
        ? broken(id, `RangeError: loss is no number after step ${column + 7}`, fields)
        : result(id, fields);
    }),
  );

/** A bit of everything. The workstreams that break are those of `mixed`; in the run before all went well. */
function jobs(run: 'before' | 'mixed' | 'live'): AgentResult[] {
  const things = ['orders', 'users', 'images', 'invoices'];
  const words = ['fetch', 'parse', 'index', 'encode', 'merge', 'publish'];
  const isBroken = run !== 'before';
  return things.flatMap((thing, column) =>
    words.map((word, row): AgentResult => {
      const id = `ws-${thing}-${word}`;
      const needed = row === 0 ? [] : [`ws-${thing}-${words[row - 1]}`];
      const fields: ResultFields = {
        ...at(run, row * 6 + column, 3 + ((row * 5 + column) % 4)),
        agentId: `agent-${column + 1}`,
        ...(row === 1 ? { warnings: [`${column + 2} rows were left out.`] } : {}),
        ...(row === 3 ? tested(passedTests) : {}),
        metadata: {
          title: `${word[0]?.toUpperCase()}${word.slice(1)} the ${thing}`,
          kind: word,
          constraints: needing(...needed),
          tail: `${word} ${thing}\n`,
        },
      };
      if (!isBroken || column === 0) return result(id, fields);
      if (column === 1 && row === 2) return broken(id, 'Error: connect ECONNREFUSED 10.0.0.5:5432', fields);
      if (column === 2 && row === 2) return broken(id, 'Error: connect ECONNREFUSED 10.0.0.6:5432', fields);
      if (column === 3 && row === 0)
        return broken(id, "Error: Cannot find module 'sharp'", {
          ...fields,
          pattern: 'Cannot find module <*>',
        });
      const root = column === 3 ? 0 : 2;
      return row > root ? heldBack(id, needed[0] ?? '', fields.metadata) : result(id, fields);
    }),
  );
}

/** Results of these titles, of which every second failed. */
const odd = (run: ShownRun): AgentResult[] =>
  ODD_TITLES.map((title, index): AgentResult => {
    const fields: ResultFields = {
      ...at(run, index, 1),
      agentId: `agent-${index % 3}`,
      metadata: { title, ...(index > 0 ? { constraints: needing(oddId(index - 1)) } : {}) },
    };
    return index % 2 === 1
      ? broken(oddId(index), `${title} is broken`, fields)
      : result(oddId(index), fields);
  });

/** How many are skipped because of the one that failed. */
const FAN_OUT = 200;

const fanOut = (): AgentResult[] => [
  broken('ws-schema', 'Error: no such table: orders', at('fanOut', 0, 4)),
  ...Array.from({ length: FAN_OUT }, (_, index) => heldBack(`ws-report-${index + 1}`, 'ws-schema')),
];

interface Ended {
  results: readonly AgentResult[];
  fields?: Partial<EventOf<'run-started'>>;
  end?: Partial<RunEnd>;
  label?: string | null;
}

/** Records a run that has ended or was interrupted. */
function recordShown(
  connection: Connection,
  run: ShownRun,
  { results, fields = {}, end: given = {}, label = null }: Ended,
): void {
  const runId = SHOWN[run];
  const recorder = beginRun(
    connection,
    run,
    results.map(({ workstreamId }) => workstreamId),
    fields,
    { label },
  );
  recorder.take(results.map((each) => finished({ ...each, runId })));
  const last = results.reduce(
    (latest, { endTime }) => Math.max(latest, Date.parse(endTime ?? '') || 0),
    beginOf(run),
  );
  const wallSeconds = (last - beginOf(run)) / 1000 + 0.5;
  const summary = { ...SUMMARY, speed: { ...SUMMARY.speed, wallSeconds, criticalPath: [] } };
  recorder.finish(end({ runId, at: iso(beginOf(run) + wallSeconds * 1000), summary, ...given }));
  recorder.close();
}

/** Begins a run of this process, which is seen as under way. */
function beginRun(
  connection: Connection,
  run: ShownRun,
  ids: readonly string[],
  fields: Partial<EventOf<'run-started'>> = {},
  origin: Partial<Origin> = {},
): SqliteRecorder {
  const runId = SHOWN[run];
  const recorder = new SqliteRecorder(connection);
  const time = iso(beginOf(run));
  recorder.claim(runId, time, { options: null, retryOf: null, label: null, ...origin });
  recorder.take([
    started(ids, { runId, at: time, agents: ['agent-1', 'agent-2', 'agent-3', 'agent-4'], ...fields }),
    {
      type: 'checkout-read',
      checkout: { commit: '5f3c2a1b9d5f3c2a1b9d5f3c2a1b9d5f3c2a1b9d', branch: 'main', isDirty: true },
    },
  ]);
  recorder.commit();
  return recorder;
}

/** A workstream that an agent has begun just now. */
export const beginsNow = (id: string, agent: number): RunEvent[] => [
  begins(id, { agentId: `agent-${agent}`, at: new Date().toISOString() }),
  {
    type: 'workstream-progress',
    workstreamId: id,
    agentId: `agent-${agent}`,
    fraction: agent / 5,
    text: `row ${agent * 1000} of 5000 in \`${id}\``,
  },
];

/** Everything but what is under way. */
export function recordEnded(connection: Connection): void {
  recordShown(connection, 'before', { results: jobs('before'), label: 'nightly' });
  recordShown(connection, 'sweep', { results: sweep(), label: 'sweep' });
  recordShown(connection, 'backlog', { results: backlog(), label: 'backlog' });
  recordShown(connection, 'allFailed', {
    results: Array.from({ length: 12 }, (_, index) =>
      broken(
        `ws-${index}`,
        index < 8
          ? `TypeError: undefined is not a function (${index})`
          : `Error: \`tsc\` found ${index} problems`,
        { ...at('allFailed', index, 2), agentId: `agent-${(index % 3) + 1}` },
      ),
    ),
  });
  recordShown(connection, 'allSkipped', {
    results: Array.from({ length: 12 }, (_, index) =>
      skipped(`ws-${index}`, {
        reason: 'dependency-failed',
        explanation: 'It needs "ws-base", which is not part of this run.',
        failure: null,
      }),
    ),
  });
  recordShown(connection, 'oddTitles', {
    results: odd('oddTitles'),
    label: `${ODD_TITLES[2]} ${ODD_TITLES[0]}`,
  });
  recordShown(connection, 'fanOut', { results: fanOut() });
  recordShown(connection, 'interrupted', {
    results: jobs('before').map((each, index) =>
      index % 5 < 2
        ? { ...each, ...at('interrupted', index * 2, 2) }
        : skipped(each.workstreamId, {
            reason: 'interrupted',
            explanation: 'The run was interrupted before it began.',
            failure: null,
            metadata: { title: each.metadata.title },
          }),
    ),
    end: { state: 'interrupted', summary: { ...SUMMARY, exitCode: 130 } },
    label: 'nightly',
  });
  recordShown(connection, 'mixed', { results: jobs('mixed'), label: 'nightly' });
}

/** Runs under way, each of which goes on for as long as its recorder is not finished. */
export function recordLive(connection: Connection): { live: SqliteRecorder; oddLive: SqliteRecorder } {
  const oddLive = beginRun(
    connection,
    'oddLive',
    ODD_TITLES.map((_, index) => oddId(index)),
    { workstreams: ODD_TITLES.map((title, index) => workstream(oddId(index), [], { title })) },
  );
  oddLive.take(
    odd('oddLive')
      .slice(0, 4)
      .map((each) => finished({ ...each, runId: SHOWN.oddLive })),
  );
  oddLive.take([4, 5, 6].flatMap((index) => beginsNow(oddId(index), index - 3)));
  oddLive.commit();
  const results = jobs('live');
  const live = beginRun(
    connection,
    'live',
    results.map(({ workstreamId }) => workstreamId),
    {
      expectedSeconds: 120,
      workstreams: results.map(({ workstreamId: id, metadata: { title } }) => workstream(id, [], { title })),
    },
    { controlSocket: '/nowhere/run.sock', label: 'nightly' },
  );
  const ended = results.filter((_, index) => index % 6 < 3);
  // Their names are a line that is wider than a phone.
  const tools = ['claude-with-review', 'limited-account'];
  const withTool = (each: AgentResult, index: number): AgentResult => {
    const tool = tools[index];
    const report = tool === undefined ? [] : [{ ...TOOL, tool, costUsd: null }];
    return { ...each, runId: SHOWN.live, metadata: { ...each.metadata, tools: report } };
  };
  live.take(ended.map((each, index) => finished(withTool(each, index))));
  for (const [index, thing] of ['orders', 'users', 'images'].entries())
    live.take(beginsNow(`ws-${thing}-merge`, index + 1));
  live.commit();
  return { live, oddLive };
}

/** What a workstream of a run has printed. */
export function writeLog(folder: string, run: ShownRun, id: string, text: string): void {
  const logs = join(folder, '.state', 'logs', SHOWN[run]);
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, `${id}.log`), text);
}
