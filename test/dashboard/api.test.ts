/** The API as docs/dashboard.md describes it, asked as a program asks it that has the token. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunsAnswer } from '../../src/domain/dashboard/answers.ts';
import { HEARTBEAT_MS } from '../../src/domain/dashboard/heartbeat.ts';
import { ask, bearer, fromPage, type Served, served, servedUnderWay } from '../kit/dashboard-server.ts';
import { prometheusFamilies } from '../kit/prometheus.ts';
import { seededRandom } from '../kit/random.ts';
import { failed, opened, record, result, skipped } from '../kit/recorded-run.ts';

const RUN = 'ma-run-20260101-000003';
const get = (dashboard: Served, path: string, method = 'GET') =>
  ask(dashboard, path, { method, headers: bearer });
const post = (dashboard: Served, path: string, body: unknown) =>
  ask(dashboard, path, { method: 'POST', headers: { ...fromPage(dashboard), ...bearer }, body });

/** Three runs, of which the last has a log. */
function recorded(folder: string): void {
  const connection = opened(folder);
  for (const runId of ['ma-run-20260101-000001', 'ma-run-20260101-000002', RUN])
    record(connection, [result('ws-a'), failed('ws-b', 'It broke.'), skipped('ws-c')], { runId });
  const logFile = `.state/logs/${RUN}/ws-a.log`;
  connection
    .prepare('UPDATE agent_results SET log_file = ? WHERE run_id = ? AND workstream_id = ?')
    .run(logFile, RUN, 'ws-a');
  mkdirSync(join(folder, '.state/logs', RUN), { recursive: true });
  writeFileSync(join(folder, logFile), 'printed\n');
}

/** What is written to standard error, where a failure that is not expected is told. */
let told = '';
beforeEach(() => {
  told = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(told).toBe('');
});

describe('each request of the documentation', () => {
  let dashboard: Served;
  let pattern = '';
  beforeEach(async () => {
    dashboard = await served(undefined, { metrics: true });
    recorded(dashboard.folder);
    const { history }: { history?: { patterns: { id: string }[] } } = (
      await get(dashboard, '/api/patterns')
    ).json();
    pattern = history?.patterns[0]?.id ?? '';
  });

  const json: [path: string, part: object][] = [
    ['/api/runs', { version: 1, total: 3, runs: [{ runId: RUN }, {}, {}] }],
    ['/api/runs?limit=1', { version: 1, total: 3, runs: [{ runId: RUN }] }],
    [`/api/runs?before=${RUN}&limit=1`, { runs: [{ runId: 'ma-run-20260101-000002' }] }],
    ['/api/runs/latest', { version: 1, runId: RUN, live: null, document: { version: 1 } }],
    ['/api/runs/latest~2', { runId: 'ma-run-20260101-000001' }],
    [`/api/runs/${RUN}`, { runId: RUN, cursor: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) }],
    ['/api/workstreams', { version: 1, runs: 3, total: 3 }],
    ['/api/workstreams?search=ws-&after=ws-a&limit=1', { workstreams: [{ workstreamId: 'ws-b' }] }],
    ['/api/workstreams/ws-b', { version: 1, workstreamId: 'ws-b', runs: [{ runId: RUN }, {}, {}] }],
    ['/api/workstreams/ws-b?run=latest~1', { why: { run: { runId: 'ma-run-20260101-000002' } } }],
    ['/api/patterns', { version: 1, history: { version: 1, patterns: [{ type: 'thrown' }] } }],
    ['/api/trends', { version: 1, trends: { version: 1 }, flaky: { version: 1 }, runs: [{}, {}, {}] }],
    ['/api/tools', { version: 1, tools: [], inRuns: [] }],
    ['/api/session', { version: 1, actToken: expect.any(String) }],
  ];
  test.each(json)('is answered as JSON with a version: %s', async (path, part) => {
    const { status, headers, json: body } = await get(dashboard, path);
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(body()).toMatchObject({ version: 1, ...part });
    const head = await get(dashboard, path, 'HEAD');
    expect([head.status, head.headers['content-type'], head.text]).toEqual([200, 'application/json', '']);
  });

  test('is answered of one error pattern', async () => {
    const { json: body } = await get(dashboard, `/api/patterns/${pattern}`);
    expect(body()).toMatchObject({ version: 1, history: { pattern: { seenIn: [{}, {}, {}] } } });
  });

  test.each([
    '/api/events',
    '/api/runs/latest/events',
    '/api/runs/latest/events?after=0.0.0',
    '/api/runs/latest/events?after=0.0.0.0',
    '/api/runs/latest/logs',
    '/api/runs/latest/logs/ws-a/follow',
  ])('is answered as server-sent events: %s', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await get(dashboard, path, method);
      expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
    }
  });

  test.each([
    ['', 200, 'printed\n'],
    ['?from=4', 200, 'ted\n'],
    ['?from=99', 200, ''],
    ['?from=0', 200, 'printed\n'],
  ])('is answered with what a workstream printed: %s', async (query, expected, text) => {
    const replied = await get(dashboard, `/api/runs/latest/logs/ws-a${query}`);
    expect([replied.status, replied.headers['content-type'], replied.text]).toEqual([
      expected,
      'text/plain; charset=utf-8',
      text,
    ]);
  });

  test('is answered with what a run does: one that has ended does nothing', async () => {
    for (const what of ['stop', 'retry']) {
      const { status, json: body } = await post(dashboard, `/api/runs/${RUN}/${what}`, {
        workstreams: ['ws-a'],
      });
      expect([status, body()['error']]).toEqual([409, 'not-there']);
    }
  });
});

describe('what can’t be answered', () => {
  let dashboard: Served;
  beforeEach(async () => {
    dashboard = await served();
    recorded(dashboard.folder);
  });

  const refused: [path: string, status: number, error: string][] = [
    ['/api/runs/ma-run-none', 404, 'refused'],
    ['/api/runs/ma-run', 400, 'refused'],
    ['/api/runs/latest~3', 404, 'refused'],
    ['/api/runs/..', 404, 'not-found'],
    ['/api/runs/..%2f..%2fetc', 404, 'refused'],
    ['/api/runs/a%2fb/events', 404, 'refused'],
    ['/api/runs/%00', 404, 'refused'],
    ['/api/runs/%', 404, 'refused'],
    ['/api/runs/ma-run-none/events', 404, 'refused'],
    ['/api/runs/ma-run-none/logs', 404, 'refused'],
    ['/api/runs/latest/logs/ws-none', 404, 'no-log'],
    ['/api/runs/latest/logs/..%2f..%2fws-a', 404, 'no-log'],
    ['/api/runs?before=ma-run-none', 404, 'refused'],
    ['/api/runs?limit=0', 400, 'refused'],
    ['/api/runs?limit=-1', 400, 'refused'],
    ['/api/runs?limit=1.5', 400, 'refused'],
    ['/api/runs?limit=x', 400, 'refused'],
    ['/api/runs?limit=', 400, 'refused'],
    ['/api/runs?limit=1e2', 400, 'refused'],
    ['/api/workstreams?limit=NaN', 400, 'refused'],
    ['/api/runs/latest/logs/ws-a?from=x', 400, 'refused'],
    ['/api/runs/latest/logs/ws-a?from=-1', 400, 'refused'],
    ['/api/runs/latest/logs/ws-a?from=1.5', 400, 'refused'],
    ['/api/runs/latest/logs/ws-a?from=', 400, 'refused'],
    ['/api/workstreams/ws-none', 404, 'refused'],
    ['/api/workstreams/ws-a?run=ma-run-none', 404, 'refused'],
    ['/api/patterns/p-none', 404, 'refused'],
    ['/api/', 404, 'not-found'],
    ['/api/nothing', 404, 'not-found'],
    ['/metrics', 404, 'not-found'],
  ];
  test.each(refused)('is refused as JSON with a sentence: %s', async (path, status, error) => {
    const replied = await get(dashboard, path);
    expect([replied.status, replied.headers['content-type']]).toEqual([status, 'application/json']);
    expect(replied.json()).toEqual({ version: 1, error, message: expect.stringMatching(/\w/) });
  });

  test.each([
    ['POST', '/api/runs', 'GET, HEAD'],
    ['DELETE', '/api/runs/latest', 'GET, HEAD'],
    ['PUT', '/api/session', 'GET, HEAD, POST'],
    ['GET', '/api/runs/latest/stop', 'POST'],
    ['HEAD', '/api/runs/latest/retry', 'POST'],
    ['POST', '/', 'GET, HEAD'],
  ])('says which methods there are: %s %s', async (method, path, allow) => {
    const headers = { ...fromPage(dashboard), ...bearer };
    const replied = await ask(dashboard, path, { method, headers });
    expect([replied.status, replied.headers.allow]).toEqual([405, allow]);
    if (method !== 'HEAD') expect(replied.json()).toMatchObject({ version: 1, error: 'wrong-method' });
  });

  test.each([
    ['no JSON', '{"workstreams": ['],
    ['another type', { workstreams: 'ws-a' }],
    ['null', 'null'],
    ['ids of a million characters', { workstreams: ['x'.repeat(900_000)] }],
  ])('is a body that is malformed: %s', async (_, body) => {
    const { status, json } = await post(dashboard, `/api/runs/${RUN}/stop`, body);
    expect([status, json()['error']]).toEqual([400, 'malformed']);
  });

  test('is a body of any size', async () => {
    const { status, json } = await post(dashboard, `/api/runs/${RUN}/stop`, {
      workstreams: ['x'.repeat(1_000_001)],
    });
    expect([status, json()['error']]).toEqual([413, 'too-large']);
  });
});

/** The first event of a stream that begins with this line. */
async function eventOf(body: ReadableStream<Uint8Array> | null, line: string): Promise<string | undefined> {
  let text = '';
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const event = text.split('\n\n').find((each) => each.startsWith(line));
    if (event !== undefined) return event;
  }
  return undefined;
}

test.each([
  '/api/events',
  '/api/runs/latest/events',
  '/api/runs/latest/logs',
  '/api/runs/latest/logs/ws-a/follow',
])('a client that is sent nothing else hears a heartbeat, which has no cursor: %s', async (path) => {
  const dashboard = await servedUnderWay();
  const { body } = await fetch(`${dashboard.address}${path}`, { headers: bearer });
  vi.advanceTimersByTime(2 * HEARTBEAT_MS);
  expect(await eventOf(body, 'event: heartbeat')).toBe('event: heartbeat\ndata: {}');
});

test('the documentation names every request that there is, and no other', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const routes = [
    ...read('src/dashboard/routes.ts').matchAll(/app\.(get|post)\(\s*['`](\/api\/[^'`]*)/g),
  ].map(([, method = '', path = '']) => `${method.toUpperCase()} ${path}`);
  const served = new Set(
    routes.flatMap((route) =>
      route.includes('${type}') ? ['stop', 'retry'].map((type) => route.replace('${type}', type)) : [route],
    ),
  );
  const table = /## API([\s\S]*?)\n## /.exec(read('docs/dashboard.md'))?.[1] ?? '';
  const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) => {
    const method = /GET|POST/.exec(cell)?.[0] ?? '';
    const paths = [...cell.matchAll(/(?:GET |POST |`)(\/[^\s`?]*)/g)].map(([, path = '']) => path);
    const [first = ''] = paths;
    return paths.map((path) => {
      const whole = path.startsWith('/api') ? path : first.replace(/\/[^/]*$/, path);
      return `${method} ${whole.replace('/workstreams/ID', '/workstreams/:id').replace('/patterns/ID', '/patterns/:id').replace('RUN', ':run').replace('WORKSTREAM', ':workstream')}`;
    });
  });
  // A page asks for its session by GET.
  expect([...new Set(named), 'GET /api/session'].toSorted()).toEqual([...served].toSorted());
});

test('who reads the runs page by page while others are added has each of those before once', async () => {
  const dashboard = await served();
  const connection = opened(dashboard.folder);
  const idOf = (number: number): string => `ma-run-20260101-${String(number).padStart(6, '0')}`;
  let count = 0;
  const more = (): void => record(connection, [result('ws-a')], { runId: idOf((count += 1)) });
  for (let times = 0; times < 17; times += 1) more();
  const before = Array.from({ length: count }, (_, index) => idOf(count - index));
  const read: string[] = [];
  for (let path = '/api/runs?limit=4'; ; path = `/api/runs?limit=4&before=${read.at(-1)}`) {
    const { runs } = (await get(dashboard, path)).json() as unknown as RunsAnswer;
    if (runs.length === 0) break;
    read.push(...runs.map(({ runId }) => runId));
    more();
  }
  expect(read).toEqual(before);
});

describe('without runs', () => {
  const OVERVIEWS = {
    '/api/runs': { runs: [], total: 0 },
    '/api/workstreams': { runs: 0, workstreams: [], total: 0 },
    '/api/patterns': { history: null },
    '/api/trends': { trends: null, flaky: null, totals: { changed: 0, flaky: 0 }, runs: [] },
    '/api/tools': { runs: 0, tools: [], inRuns: [] },
  };
  test.each(Object.entries(OVERVIEWS))('there is an empty answer: %s', async (path, empty) => {
    const dashboard = await served();
    const { status, json } = await get(dashboard, path);
    expect([status, json()]).toMatchObject([200, { version: 1, ...empty }]);
    // The same where there is a database without a run.
    opened(dashboard.folder);
    expect((await get(dashboard, path)).json()).toMatchObject({ version: 1, ...empty });
  });

  test('a database that appears is answered from, without a start', async () => {
    const dashboard = await served();
    for (const path of Object.keys(OVERVIEWS)) await get(dashboard, path);
    record(opened(dashboard.folder), [result('ws-a')]);
    expect((await get(dashboard, '/api/workstreams')).json()).toMatchObject({ runs: 1, total: 1 });
    expect((await get(dashboard, '/api/runs')).json()).toMatchObject({ total: 1 });
  });

  test.each(['/api/runs/latest', '/api/runs/latest/events', '/api/workstreams/ws-a', '/api/patterns/p-1'])(
    'one thing is not there: %s',
    async (path) => {
      const { status, json } = await get(await served(), path);
      expect([status, json()['message']]).toEqual([
        404,
        'There are no runs yet. Start one with: millrace run',
      ]);
    },
  );
});

test('no query and no body makes the dashboard fail, or stop answering', async () => {
  const dashboard = await served(undefined, { metrics: true });
  recorded(dashboard.folder);
  const random = seededRandom(20_261_130);
  const one = <T>(all: readonly T[]): T => {
    const found = all[Math.floor(random() * all.length)];
    if (found === undefined) throw new RangeError('There is nothing to take.');
    return found;
  };
  const text = (): string =>
    one([
      '',
      '0',
      '1',
      '-1',
      '1e9',
      '9007199254740993',
      'NaN',
      'null',
      'latest',
      'latest~99999999999',
      RUN,
      'ws-a',
      '..',
      '%',
      '%00',
      '%2e%2e%2f',
      '%ff',
      '%F0%9F%92%A9',
      "'",
      '"',
      '%27%20OR%201=1--',
      '[]',
      '{}',
      '$',
      '\\',
      'a'.repeat(5_000),
      '0.0.0',
      '0.0.0.0',
      '999.999.999',
      '999.999.999.999',
      '%E2%80%AE',
      '*',
      '?',
      '+',
      '%25s',
    ]);
  const PATHS = [
    'runs',
    `runs/${RUN}`,
    `runs/${RUN}/events`,
    'events',
    `runs/${RUN}/logs`,
    `runs/${RUN}/logs/ws-a`,
    `runs/${RUN}/logs/ws-a/follow`,
    'workstreams',
    'workstreams/ws-a',
    'patterns',
    'trends',
    'tools',
    'session',
  ];
  const NAMES = [
    'limit',
    'before',
    'after',
    'from',
    'search',
    'run',
    'limit[]',
    '__proto__',
    'constructor',
    '',
  ];
  const statuses = new Set<number>();
  for (let times = 0; times < 400; times += 1) {
    const path =
      random() < 0.3 ? `runs/${text()}/${one(['', 'events', 'logs', `logs/${text()}`])}` : one(PATHS);
    const query = Array.from({ length: Math.floor(random() * 4) }, () => `${one(NAMES)}=${text()}`).join('&');
    const method = one(['GET', 'GET', 'GET', 'HEAD']);
    const { status } = await get(dashboard, `/api/${path}?${query}`.replaceAll(' ', '%20'), method);
    statuses.add(status);
    expect([200, 206, 400, 404], `${method} ${path}?${query}`).toContain(status);
  }
  expect(statuses).toEqual(new Set([200, 400, 404]));
  const value = (depth: number): unknown =>
    one<() => unknown>([
      () => null,
      () => random() * 1e9,
      () => decodeURIComponent(one(['a', '%F0%9F%92%A9', '%00', RUN, 'ws-a'])),
      () => true,
      () => (depth > 3 ? [] : Array.from({ length: Math.floor(random() * 5) }, () => value(depth + 1))),
      () => (depth > 3 ? {} : { [one(['workstreams', 'token', '__proto__', 'by'])]: value(depth + 1) }),
    ])();
  for (let times = 0; times < 200; times += 1) {
    const whole = JSON.stringify(value(0));
    const body = random() < 0.2 ? whole.slice(0, Math.floor(random() * whole.length)) : whole;
    const path = one(['session', `runs/${RUN}/stop`, `runs/${RUN}/retry`]);
    const { status } = await post(dashboard, `/api/${path}`, body);
    expect([400, 401, 409], `${path} ${body}`).toContain(status);
  }
  expect((await get(dashboard, '/api/runs')).status).toBe(200);
});

describe('/metrics', () => {
  const metrics = async (dashboard: Served) => {
    const { headers, text } = await get(dashboard, '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    return prometheusFamilies(text);
  };

  test('is in the text format of Prometheus, whatever tools are called', async () => {
    const dashboard = await served(undefined, { metrics: true });
    recorded(dashboard.folder);
    const tool = 'quote " slash \\ line\nend} 1 # {א';
    opened(dashboard.folder)
      .prepare("UPDATE agent_results SET tool = ?, cost_usd = 1.5 WHERE workstream_id = 'ws-a'")
      .run(tool);
    const families = await metrics(dashboard);
    expect(families.get('millrace_cost_usd')?.samples).toEqual([
      { name: 'millrace_cost_usd', labels: { tool }, value: 4.5 },
    ]);
    expect(families.get('millrace_workstreams')?.samples).toContainEqual({
      name: 'millrace_workstreams',
      labels: { status: 'failed', reason: 'thrown' },
      value: 3,
    });
    expect(families.get('millrace_workstream_duration_seconds')?.samples).toContainEqual(
      expect.objectContaining({ name: 'millrace_workstream_duration_seconds_count', value: 6 }),
    );
  });

  test('is in that format where there is no database', async () => {
    const families = await metrics(await served(undefined, { metrics: true }));
    expect(families.get('millrace_runs')).toEqual({ type: 'gauge', samples: [] });
  });
});
