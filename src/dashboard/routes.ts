/** What the dashboard answers. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import { z } from 'zod';
import { idOfRun } from '../app/history.ts';
import { Refusal } from '../app/refusal.ts';
import { ControlError, controlRun } from '../control/client.ts';
import type {
  ActAnswer,
  ListedRun,
  LiveState,
  RunAnswer,
  RunsAnswer,
  SessionAnswer,
} from '../domain/dashboard/answers.ts';
import { parsePosition } from '../os/logs/logs-position.ts';
import { LogFile, REDACTED_MS } from '../os/logs/read-log.ts';
import { attemptLogs } from '../store/read/attempts.ts';
import { isLongHistory, listedRuns, runCount } from '../store/read/live/listed-runs.ts';
import { type MetricCounts, RunCounts } from '../store/read/live/metrics.ts';
import { attemptInHand, markOf, runNow, storedLog } from '../store/read/live/run-changes.ts';
import type { WatchedDatabase } from '../store/read/live/watched-database.ts';
import type { Connection } from '../store/schema/connection.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { shownPath } from '../text/format.ts';
import { oneLine, printable } from '../text/printable.ts';
import { type Access, refusal } from './access.ts';
import type { Answers, Question } from './answers.ts';
import { documentPieces, headOf, logAddress } from './documents.ts';
import { connectionIn, connectionOf } from './failure.ts';
import { type Feeds, ListFeed } from './feeds.ts';
import { type App, bodyOf, brokenOff, events, jsonBody, newApp, numberIn } from './http.ts';
import { LiveReader, logName } from './live-reader.ts';
import { followedLog, followedRun, type LogNow, logBody, parseLogPosition, rangeIn } from './logs.ts';
import { metricsText } from './metrics.ts';
import { cursorOf, type FeedParts, markIn, RunFeed } from './run-feed.ts';
import { inSlices, inTurns } from './slices.ts';

/** What the answers are made from. */
export interface DashboardParts {
  database: WatchedDatabase;
  /** Folder of the database. */
  state: string;
  access: Access;
  feeds: Feeds;
  /** Answers what takes long to find out. */
  answers: Answers;
  /** Whether it answers Prometheus. */
  hasMetrics: boolean;
  /** The page, and the policy that lets its script and its style alone run. */
  page: () => { html: string; policy: string };
  /** Returned for a request that is answered through Node's own response. */
  answered: Response;
}

const RUNS = 50;
const MOST_RUNS = 500;

/** How long it takes a cookie that is stolen from a disk to become useless, in seconds: the session of a browser may be long. */
const SESSION_SECONDS = 7 * 24 * 3600;

export function dashboardRoutes(parts: DashboardParts): App {
  const app = newApp(parts.access);
  app.get('/', (context) => {
    const { html, policy } = parts.page();
    context.header('Content-Security-Policy', policy);
    return context.html(html);
  });
  if (parts.hasMetrics) addMetrics(app, parts);
  app.use('/api/*', parts.access.origin);
  app.post('/api/session', async (context) => openSession(context, parts));
  app.use('/api/*', parts.access.session);
  app.get('/api/session', (context) => context.json(sessionAnswer(parts)));
  addRuns(app, parts);
  addLogs(app, parts);
  addHistories(app, parts);
  addActions(app, parts);
  return app;
}

// ── Sessions ──

const tokenBody = z.object({ token: z.string().max(1_000) });

async function openSession(context: Context, parts: DashboardParts): Promise<Response> {
  const { access } = parts;
  const body = tokenBody.safeParse(await jsonBody(context));
  if (!body.success || !access.isToken(body.data.token))
    return refusal(
      context,
      401,
      'wrong-token',
      'This is not the token of the dashboard. Open the address that it printed.',
    );
  setCookie(context, access.cookieName, access.cookieValue, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: SESSION_SECONDS,
  });
  return context.json(sessionAnswer(parts));
}

/** A page is opened, which asks for a run next: where that is looked up by another process, it is started meanwhile. */
function sessionAnswer({ access, database, answers }: DashboardParts): SessionAnswer {
  try {
    const connection = connectionIn(database);
    if (connection !== null && isLongHistory(connection, '')) answers.prepare();
  } catch (error) {
    // Whoever asks for what is in the database is told.
    if (!(error instanceof StoreError)) throw error;
  }
  return { version: 1, actToken: access.actToken };
}

// ── Runs ──

function addRuns(app: App, parts: DashboardParts): void {
  const { database, feeds } = parts;
  app.get('/api/runs', async (context) => {
    const connection = connectionIn(database);
    const limit = Math.min(MOST_RUNS, numberIn(context, 'limit', 1) ?? RUNS);
    const before = context.req.query('before') ?? null;
    if (before !== null && (connection === null || runNow(connection, before) === null))
      throw new Refusal(4, `There is no run ${oneLine(before, 100)} any more. Ask again from the newest.`);
    const answer: RunsAnswer = {
      version: 1,
      database: shownPath(process.cwd(), database.path),
      runs: connection === null ? [] : await inSlices(listedInParts(connection, { limit, before })),
      total: connection === null ? 0 : runCount(connection),
    };
    return context.json(answer);
  });
  app.get('/api/events', parts.access.stream, (context) =>
    events(context, parts, () => {
      const connection = connectionIn(database);
      const feed = feeds.enter('runs', () => new ListFeed(connection));
      const { position } = feed.broadcast;
      return (stream) => {
        feed.broadcast.enter(stream, position, feed.reloadMessage);
        stream.whenGone(() => {
          feed.broadcast.leave(stream);
          feeds.leave('runs');
        });
      };
    }),
  );
  app.get('/api/runs/:run', async (context) => {
    const connection = connectionOf(parts.database);
    const runId = idOfRun(connection, context.req.param('run'));
    // Before the document: what happens meanwhile is sent again, and changes nothing then.
    const cursor = cursorOf(markOf(connection, runId));
    const live = liveState(connection, runId, parts);
    const pieces = isLongHistory(connection, runId)
      ? await parts.answers.ask({ kind: 'document', runId })
      : await documentPieces(connection, runId, database.path);
    if (pieces === null) throw new Refusal(4, `There is no run ${runId}.`);
    const rest: Omit<RunAnswer, 'document'> = { version: 1, runId, live, cursor };
    const before = `${JSON.stringify(rest).slice(0, -1)},"document":`;
    context.header('Content-Type', 'application/json');
    return context.body(bodyOf(before, pieces, '}'));
  });
  app.get('/api/runs/:run/events', parts.access.stream, (context) => {
    const connection = connectionOf(parts.database);
    const runId = idOfRun(connection, context.req.param('run'));
    return events(context, parts, () => {
      const name = `run ${runId}`;
      const feed = feeds.enter(name, () => new RunFeed(connection, runId, feedParts(runId, parts)));
      const since = markIn(context.req.header('last-event-id') ?? context.req.query('after') ?? '');
      if (feed.isBehind(since)) feeds.readNow(name);
      const { messages, position } = feed.join(connection, since);
      return (stream) => {
        stream.whenGone(() => {
          feed.broadcast.leave(stream);
          feeds.leave(name);
        });
        const goOn = (): void => {
          if (stream.signal.aborted) return;
          feed.broadcast.enter(stream, position, feed.reloadMessage('More has happened than was taken.'));
        };
        stream
          .sendEach(inTurns(messages))
          .then(goOn)
          .catch((error: unknown) => {
            stream.end();
            brokenOff(error);
          });
      };
    });
  });
}

/** As many runs as are read in a moment. */
const LISTED_AT_ONCE = 50;

/** The runs of a list. @yields after each part of it. */
function* listedInParts(
  connection: Connection,
  { limit, before }: { limit: number; before: string | null },
): Generator<void, ListedRun[]> {
  const all: ListedRun[] = [];
  for (;;) {
    const most = Math.min(LISTED_AT_ONCE, limit - all.length);
    const part = listedRuns(connection, { limit: most, before: all.at(-1)?.runId ?? before });
    all.push(...part);
    if (part.length < most || all.length >= limit) return all;
    yield;
  }
}

const feedParts = (runId: string, { database, state, answers }: DashboardParts): FeedParts => ({
  logs: logFolder(state, runId),
  addressOf: logAddress,
  headOf: async (connection, shown) =>
    isLongHistory(connection, runId)
      ? new Response(await answers.ask({ kind: 'head', runId, shown })).text()
      : JSON.stringify(headOf(connection, runId, { database: database.path, shown })),
});

const logFolder = (state: string, runId: string): string => join(state, 'logs', runId);

/** Null where it is not under way. */
function liveState(connection: Connection, runId: string, { state }: DashboardParts): LiveState | null {
  const run = runNow(connection, runId);
  if (run?.state !== 'running') return null;
  return new LiveReader(runId, logFolder(state, runId)).read(connection, run);
}

// ── Acting ──

const actBody = z.object({ workstreams: z.array(z.string().max(1_000)).max(10_000) });

/** The run does it, through its socket: the dashboard writes nothing. */
function addActions(app: App, parts: DashboardParts): void {
  const actions = ['stop', 'retry'] as const;
  for (const type of actions)
    app.post(`/api/runs/:run/${type}`, async (context) => {
      const body = actBody.safeParse(await jsonBody(context));
      if (!body.success)
        return refusal(context, 400, 'malformed', 'The body has to be {"workstreams": [ID, …]}.');
      const connection = connectionOf(parts.database);
      const runId = idOfRun(connection, context.req.param('run'));
      const socket = runNow(connection, runId)?.socket ?? null;
      try {
        const request = { type, workstreams: body.data.workstreams, by: ACTOR };
        const { results } = await controlRun({ runId, socket }, request);
        return context.json({ version: 1, results } satisfies ActAnswer);
      } catch (error) {
        if (error instanceof ControlError)
          return refusal(context, 409, error.problem, printable(error.message));
        throw error;
      }
    });
}

/** Who asks, in what is stored of it. */
const ACTOR = 'the dashboard';

// ── Metrics ──

function addMetrics(app: App, { access, database }: DashboardParts): void {
  const runs = new RunCounts();
  const read = async (): Promise<MetricCounts> => {
    const connection = connectionIn(database);
    return connection === null ? new Map() : inSlices(runs.read(connection));
  };
  // One after the other, as what is read of a run is kept.
  let last: Promise<MetricCounts> = Promise.resolve(new Map());
  app.get('/metrics', access.origin, access.bearer, async (context) => {
    last = last.then(read, read);
    const text = metricsText(await last);
    context.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    return context.body(text);
  });
}

// ── Over all runs ──

const WORKSTREAMS = 100;
const MOST_WORKSTREAMS = 500;

function addHistories(app: App, { answers }: DashboardParts): void {
  const answer = async (context: Context, question: Question): Promise<Response> =>
    context.body(await answers.ask(question), 200, { 'Content-Type': 'application/json' });
  app.get('/api/patterns', (context) => answer(context, { kind: 'patterns' }));
  app.get('/api/patterns/:id', (context) =>
    answer(context, { kind: 'pattern', id: context.req.param('id') }),
  );
  app.get('/api/trends', (context) => answer(context, { kind: 'trends' }));
  app.get('/api/tools', (context) => answer(context, { kind: 'tools' }));
  app.get('/api/workstreams', (context) => {
    const { req } = context;
    const limit = Math.min(MOST_WORKSTREAMS, numberIn(context, 'limit', 1) ?? WORKSTREAMS);
    const [search, after] = [req.query('search') ?? '', req.query('after') ?? ''];
    return answer(context, { kind: 'workstreams', search, after, limit });
  });
  app.get('/api/workstreams/:id', (context) => {
    const run = context.req.query('run') ?? null;
    return answer(context, { kind: 'workstream', id: context.req.param('id'), run });
  });
}

// ── Logs ──

function addLogs(app: App, parts: DashboardParts): void {
  app.get('/api/runs/:run/logs', parts.access.stream, (context) => {
    const runId = idOfRun(connectionOf(parts.database), context.req.param('run'));
    const after = parsePosition(context.req.header('last-event-id') ?? context.req.query('from') ?? '');
    return events(context, parts, () => (stream) => {
      const logs = {
        folder: logFolder(parts.state, runId),
        after,
        hasEnded: (id: string) => attemptLogs(connectionOf(parts.database), runId, id).last !== null,
        isOver: () => runNow(connectionOf(parts.database), runId)?.state !== 'running',
        signal: stream.signal,
      };
      void stream.sendAll(followedRun(logs)).catch(brokenOff);
    });
  });
  app.get('/api/runs/:run/logs/:workstream', async (context) => {
    const from = numberIn(context, 'from', 0);
    const { log, isOver } = logNow(logPlace(context, parts), parts);
    if (log === null) return noLog(context);
    const { size } = log;
    const asked = from === null ? rangeIn(context.req.header('range'), size) : { from, to: size };
    if (asked === 'none') {
      log.close();
      context.header('Content-Range', `bytes */${size}`);
      return context.body(null, 416);
    }
    if (!isOver) await wait(REDACTED_MS);
    const range = asked === 'whole' ? { from: 0, to: size } : asked;
    const isPart = asked !== 'whole' && from === null;
    context.header('Content-Type', 'text/plain; charset=utf-8');
    context.header('Accept-Ranges', 'bytes');
    context.header('Content-Length', String(Math.max(0, range.to - range.from)));
    if (isPart) context.header('Content-Range', `bytes ${range.from}-${range.to - 1}/${size}`);
    return context.body(logBody(log, range), isPart ? 206 : 200);
  });
  app.get('/api/runs/:run/logs/:workstream/follow', parts.access.stream, (context) => {
    const place = logPlace(context, parts);
    const from = parseLogPosition(context.req.header('last-event-id') ?? context.req.query('from') ?? '');
    return events(context, parts, () => (stream) => {
      const { signal } = stream;
      void stream.sendAll(followedLog({ look: () => logNow(place, parts), from, signal })).catch(brokenOff);
    });
  });
}

/** A workstream of a run, as it is in the address. @throws Refusal where there is no such run. */
function logPlace(context: Context, parts: DashboardParts): { runId: string; workstreamId: string } {
  const runId = idOfRun(connectionOf(parts.database), context.req.param('run') ?? '');
  return { runId, workstreamId: context.req.param('workstream') ?? '' };
}

/** The log of the last attempt at a workstream. What was in hand when its run was killed is in hand still. */
function logNow(
  { runId, workstreamId }: ReturnType<typeof logPlace>,
  { database, state }: DashboardParts,
): LogNow {
  const connection = connectionOf(database);
  const isRunning = runNow(connection, runId)?.state === 'running';
  const attempt = attemptInHand(connection, runId, workstreamId);
  const result = attempt === null ? storedLog(connection, runId, workstreamId) : null;
  const path = attempt === null ? (result?.path ?? null) : logName(workstreamId, attempt);
  const log = path === null ? null : LogFile.open(logFolder(state, runId), path);
  return { log, isOver: !isRunning || result !== null };
}

const noLog = (context: Context): Response =>
  refusal(context, 404, 'no-log', 'This workstream has printed nothing, or its log was removed.');
