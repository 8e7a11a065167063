/**
 * Fills a database with runs as the recorder writes them: `node test/bench/make-history.mjs STATE RUNS RESULTS`. Every
 * twentieth workstream fails in each run with one of 40 errors, another 5 % fail by chance in a tenth of the runs, and
 * durations vary by 5 %.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDatabase } from '../../dist/src/store/schema/database.js';
import { settlePatterns } from '../../dist/src/store/write/patterns.js';
import { SqliteRecorder } from '../../dist/src/store/write/recorder.js';

const DATABASE = 'multi_agent_consolidated.db';
const AGENTS = ['agent-1', 'agent-2', 'agent-3'];
const GROUPS = 40;
const FAILED_SHARE = 0.05;
const FLAKY_RATE = 0.1;
const BATCH = 500;
const START = Date.parse('2026-01-01T00:00:00Z');

/** A number from 0 to 1 that is the same for the same two numbers. */
function chanceOf(run, index) {
  let mixed = Math.imul(run, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b);
  for (const factor of [0x7feb352d, 0x846ca68b]) mixed = Math.imul(mixed ^ (mixed >>> 16), factor);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

const iso = (milliseconds) => new Date(milliseconds).toISOString();
const runIdAt = (time) =>
  `ma-run-${iso(time).slice(0, 10).replaceAll('-', '')}-${iso(time).slice(11, 19).replaceAll(':', '')}`;

function definition(index) {
  const source = { file: `workstreams/ws-${index}.json`, position: 0 };
  return { id: `ws-${index}`, title: `Workstream ${index}`, hash: `hash-${index}`, dependsOn: [], source };
}

const NO_TESTS = { total: 0, passed: 0, failed: 0, manual: 0, cases: null, tests: [] };

function metadataOf(index) {
  return {
    title: `Workstream ${index}`,
    kind: null,
    file: `workstreams/ws-${index}.json`,
    position: 0,
    priority: 0,
    output: { index, text: 'a value of some length, as workstreams give them' },
    metrics: { rate: index / 7 },
    base: null,
    matrix: null,
    series: {},
    outputs: [],
    constraints: null,
    cache: null,
    steps: [{ id: 'step-1', kind: 'run', status: 'completed', duration_seconds: 1, exit_code: 0 }],
    tail: null,
    tools: [],
    changes: null,
    merge: null,
    earlierAttempts: [],
    limitWaits: [],
    candidates: [],
    reviews: [],
    gaveUp: null,
    compensation: [],
    host: null,
    definition: {},
  };
}

function resultOf(runId, index, began, failed, noise) {
  const group = Math.floor(index * FAILED_SHARE) % GROUPS;
  // Words of this form are never taken for values, so that each group is a pattern.
  const name = `ERR_${String.fromCodePoint(65 + (group % 26))}${group > 25 ? 'X' : 'Y'}`;
  const message = `${name}: error ${'of this kind '.repeat(1 + (group % 3))}at line ${index}`;
  return {
    runId,
    agentId: AGENTS[index % AGENTS.length],
    workstreamId: `ws-${index}`,
    status: failed ? 'failed' : 'completed',
    startTime: iso(began),
    endTime: iso(began + 50),
    durationSeconds: (0.05 + (index % 100) / 1000) * (0.95 + noise / 10),
    definitionHash: String(index).padStart(64, '0'),
    filesModified: index % 10 === 0 ? [`src/file-${index % 500}.ts`] : [],
    commitsCreated: [],
    errors: failed ? [{ type: 'thrown', message }] : [],
    warnings: index % 50 === 0 ? ['odd'] : [],
    testResults: NO_TESTS,
    metadata: metadataOf(index),
    reason: failed ? 'thrown' : null,
    explanation: failed ? message : null,
    cpuSeconds: 0.04,
    cpuWaitSeconds: 0.001,
    usage: null,
    attempts: 1,
    fromRun: null,
    savedSeconds: null,
    failure: null,
    logFile: `/srv/project/.state/logs/${runId}/ws-${index}.log`,
    stack: failed ? `${message}\n    at f (/srv/project/a.js:1:1)\n    at g (/srv/project/a.js:2:1)` : null,
    pattern: null,
  };
}

const SPEED = {
  wallSeconds: 60,
  busySeconds: 90,
  oneAgentSeconds: 90,
  criticalPathSeconds: 1,
  criticalPath: ['ws-1'],
  speedup: 1.5,
  limitSeconds: 45,
  efficiency: 0.75,
};
const SUMMARY = {
  version: 1,
  millrace: '0.1.0',
  node: process.version,
  platform: 'linux x64',
  cores: 2,
  agentsCount: 3,
  distribution: 'dynamic',
  exitCode: 1,
  interruptedBy: null,
  sessions: 1,
  speed: SPEED,
  agents: [],
  tests: { total: 0, passed: 0, failed: 0, manual: 0 },
  overhead: { storeSeconds: 0.01, consolidateSeconds: 0.02 },
};

function hasFailed(run, index) {
  const kind = index % Math.round(1 / FAILED_SHARE);
  return kind === 0 || (kind === 1 && chanceOf(run, index) < FLAKY_RATE);
}

/** One run of `results` workstreams. */
function recordRun(connection, run, results) {
  const at = START + run * 3_600_000;
  const runId = runIdAt(at);
  const recorder = new SqliteRecorder(connection);
  const workstreams = Array.from({ length: results }, (_, index) => definition(index));
  recorder.take([
    {
      type: 'run-started',
      version: 1,
      runId,
      at: iso(at),
      agents: AGENTS,
      total: results,
      workstreams,
      resumed: null,
      expectedSeconds: null,
    },
    {
      type: 'checkout-read',
      checkout: { commit: run.toString(16).padStart(40, 'c'), branch: 'main', isDirty: false },
    },
  ]);
  for (let index = 0; index < results; index += 1) {
    const result = resultOf(runId, index, at + index * 20, hasFailed(run, index), chanceOf(index, run));
    recorder.take([{ type: 'workstream-finished', result }]);
    if (index % BATCH === BATCH - 1) recorder.commit();
  }
  recorder.commit();
  settlePatterns(connection, runId);
  recorder.finish({
    runId,
    at: iso(at + results * 20),
    state: 'ended',
    summary: SUMMARY,
    recommendations: ['Run it again.'],
  });
  recorder.close();
  return runId;
}

/** Records `runs` runs of `results` workstreams each in the state folder. Gives the id of the last one. */
export function makeHistory(state, runs, results) {
  const connection = openDatabase(join(state, DATABASE));
  let last = '';
  for (let index = 0; index < runs; index += 1) last = recordRun(connection, index, results);
  connection.close();
  return last;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [state = '.state', runs = '1000', results = '1000'] = process.argv.slice(2);
  console.log(makeHistory(state, Number(runs), Number(results)));
}
