/** What the dashboard answers. */
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { z } from 'zod';
import { idOfRun } from '../app/history.ts';
import { Refusal } from '../app/refusal.ts';
import { ControlError, controlRun } from '../control/client.ts';
import type {
  ActAnswer,
  LiveState,
  RunAnswer,
  RunsAnswer,
  SessionAnswer,
} from '../domain/dashboard/answers.ts';
import { LogFile, REDACTED_MS } from '../os/logs/read-log.ts';
import { attemptLogs } from '../store/read/attempts.ts';
import { listedRuns, runCount } from '../store/read/live/listed-runs.ts';
import { RunCounts } from '../store/read/live/metrics.ts';
import { attemptInHand, markOf, runNow, storedLog } from '../store/read/live/run-changes.ts';
import type { WatchedDatabase } from '../store/read/live/watched-database.ts';
import type { Connection } from '../store/schema/connection.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { shownPath } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import { type Access, refusal } from './access.ts';
import { ClientStream } from './client-stream.ts';
import { documentPieces, headOf, logAddress } from './documents.ts';
import { type Feeds, ListFeed } from './feeds.ts';
import type { Histories } from './histories.ts';
import { LiveReader, logName } from './live-reader.ts';
import { followedLog, followedRun, logBody, rangeIn } from './logs.ts';
import { metricsText } from './metrics.ts';
import { cursorOf, markIn, RunFeed } from './run-feed.ts';

/** What the answers are made from. */
export interface DashboardParts {
  database: WatchedDatabase;
  /** Folder of the database. */
  state: string;
  access: Access;
  feeds: Feeds;
  /** Whether it answers Prometheus. */
  hasMetrics: boolean;
  /** The page, and the policy that lets its script and its style alone run. */
  page: () => { html: string; policy: string };
  /** Returned for a request that is answered through Node's own response. */
  answered: Response;
}

const RUNS = 50;
const MOST_RUNS = 500;
/** Most bytes of what a page sends. */
const MOST_BODY = 1_000_000;

class TooLarge extends Error {
  override message = `A body needs a Content-Length of at most ${MOST_BODY} bytes.`;
}

/** How long it takes a cookie that is stolen from a disk to become useless, in seconds: the session of a browser may be long. */
const SESSION_SECONDS = 7 * 24 * 3600;

/** Beside each request: how Node's server answers it. */
interface FromNode {
  Bindings: { outgoing: ServerResponse };
}
type App = Hono<FromNode>;
type NodeContext = Context<FromNode>;

export function dashboardRoutes(parts: DashboardParts): App {
  const app: App = new Hono();
  app.use(safeHeaders);
  app.use(unreadBody);
  app.use(parts.access.host);
  app.onError((error, context) => answerError(error, context));
  app.notFound((context) => refusal(context, 404, 'not-found', 'There is nothing here.'));
  app.get('/', (context) => {
    const { html, policy } = parts.page();
    context.header('Content-Security-Policy', policy);
    return context.html(html);
  });
  if (parts.hasMetrics) addMetrics(app, parts);
  app.use('/api/*', parts.access.origin);
  app.post('/api/session', async (context) => openSession(context, parts.access));
  app.use('/api/*', parts.access.session);
  app.get('/api/session', (context) => context.json(sessionAnswer(parts.access)));
  addRuns(app, parts);
  addLogs(app, parts);
  addHistories(app, parts);
  addActions(app, parts);
  return app;
}

// ── For every answer ──

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

async function safeHeaders(context: Context, next: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  await next();
}

/** A HEAD request is answered as GET, and nobody reads the body of it: what that holds open is closed. */
async function unreadBody(context: Context, next: () => Promise<void>): Promise<void> {
  await next();
  if (context.req.method === 'HEAD') await context.res.body?.cancel();
}

function answerError(error: Error, context: Context): Response {
  if (error instanceof TooLarge) return refusal(context, 413, 'too-large', error.message);
  if (error instanceof Refusal)
    return refusal(context, error.exitCode === 4 ? 404 : 400, 'refused', printable(error.message));
  if (error instanceof StoreError) return refusal(context, 503, 'database', printable(error.message));
  tellUnexpected(error);
  return refusal(context, 503, 'internal', 'The dashboard itself failed; its standard error says how.');
}

const tellUnexpected = (error: unknown): void =>
  void process.stderr.write(
    `millrace: ${printable(String((error instanceof Error ? error.stack : null) ?? error))}\n`,
  );

/** A stream that broke off has ended: its client asks again, and is answered what is wrong, but for what nobody expects. */
function brokenOff(error: unknown): void {
  if (!(error instanceof Refusal || error instanceof StoreError)) tellUnexpected(error);
}

// ── Sessions ──

const tokenBody = z.object({ token: z.string().max(1_000) });

async function openSession(context: Context, access: Access): Promise<Response> {
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
  return context.json(sessionAnswer(access));
}

const sessionAnswer = ({ actToken }: Access): SessionAnswer => ({ version: 1, actToken });

/** What was sent as JSON; undefined for what is no JSON. @throws TooLarge. */
async function jsonBody(context: Context): Promise<unknown> {
  const length = Number(context.req.header('content-length') ?? Number.NaN);
  if (!(length <= MOST_BODY)) throw new TooLarge();
  try {
    return await context.req.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

// ── Runs ──

/** The database as it is now. @throws Refusal where there is none. */
function connectionOf({ database }: Pick<DashboardParts, 'database'>): Connection {
  database.look();
  const { connection } = database;
  if (connection === null) throw new Refusal(4, 'There are no runs yet. Start one with: millrace run');
  return connection;
}

function addRuns(app: App, parts: DashboardParts): void {
  const { database, feeds } = parts;
  app.get('/api/runs', (context) => {
    database.look();
    const { connection } = database;
    const limit = numberIn(context.req.query('limit'), RUNS, MOST_RUNS);
    const before = context.req.query('before') ?? null;
    const answer: RunsAnswer = {
      version: 1,
      database: shownPath(process.cwd(), database.path),
      runs: connection === null ? [] : listedRuns(connection, { limit, before }),
      total: connection === null ? 0 : runCount(connection),
    };
    return context.json(answer);
  });
  app.get('/api/events', parts.access.stream, (context) =>
    events(context, parts, () => {
      database.look();
      const { connection } = database;
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
    const connection = connectionOf(parts);
    const runId = idOfRun(connection, context.req.param('run'));
    // Before the document: what happens meanwhile is sent again, and changes nothing then.
    const cursor = cursorOf(markOf(connection, runId));
    const live = liveState(connection, runId, parts);
    const pieces = await documentPieces(connection, runId, database.path);
    if (pieces === null) throw new Refusal(4, `There is no run ${runId}.`);
    const rest: Omit<RunAnswer, 'document'> = { version: 1, runId, live, cursor };
    context.header('Content-Type', 'application/json');
    return context.body(piecesBody([JSON.stringify(rest).slice(0, -1), ',"document":', ...pieces, '}']));
  });
  app.get('/api/runs/:run/events', parts.access.stream, (context) => {
    const connection = connectionOf(parts);
    const runId = idOfRun(connection, context.req.param('run'));
    return events(context, parts, () => {
      const name = `run ${runId}`;
      const feed = feeds.enter(name, () => new RunFeed(connection, runId, feedParts(runId, parts)));
      const since = markIn(context.req.header('last-event-id') ?? context.req.query('after') ?? '');
      const { messages, position } = feed.join(connection, since);
      return (stream) => {
        for (const message of messages) stream.send(message);
        feed.broadcast.enter(stream, position, feed.reloadMessage('More has happened than was taken.'));
        stream.whenGone(() => {
          feed.broadcast.leave(stream);
          feeds.leave(name);
        });
      };
    });
  });
}

const feedParts = (runId: string, { database, state }: DashboardParts) => ({
  logs: logFolder(state, runId),
  addressOf: logAddress,
  headOf: (connection: Connection, shown: number) =>
    headOf(connection, runId, { database: database.path, shown }),
});

const logFolder = (state: string, runId: string): string => join(state, 'logs', runId);

/** Null where it is not under way. */
function liveState(connection: Connection, runId: string, { state }: DashboardParts): LiveState | null {
  const run = runNow(connection, runId);
  if (run?.state !== 'running') return null;
  return new LiveReader(runId, logFolder(state, runId)).read(connection, run);
}

function piecesBody(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[next];
        next += 1;
        if (piece === undefined) controller.close();
        else controller.enqueue(encoder.encode(piece));
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Answers with events.
 * @param prepare reads what may be refused, before the answer begins, and returns what sends. Not called for a HEAD request.
 */
function events(
  context: NodeContext,
  { answered }: DashboardParts,
  prepare: () => (stream: ClientStream) => void,
): Response {
  if (context.req.method === 'HEAD') return context.body(null, 200, { 'Content-Type': 'text/event-stream' });
  const begin = prepare();
  begin(new ClientStream(context.env.outgoing, HEADERS));
  return answered;
}

/** @throws Refusal for what is no whole number from 1. */
function numberIn(given: string | undefined, usual: number, most: number): number {
  if (given === undefined) return usual;
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < 1) throw new Refusal(2, 'limit takes a whole number from 1.');
  return Math.min(most, number);
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
      const connection = connectionOf(parts);
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
  app.get('/metrics', access.origin, access.bearer, (context) => {
    database.look();
    const { connection } = database;
    context.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    return context.body(metricsText(connection === null ? new Map() : runs.read(connection)));
  });
}

// ── Over all runs ──

const WORKSTREAMS = 100;
const MOST_WORKSTREAMS = 500;

function addHistories(app: App, parts: DashboardParts): void {
  const histories = loadedOnce();
  app.get('/api/patterns', async (context) =>
    context.json((await histories()).patterns(connectionOf(parts))),
  );
  app.get('/api/patterns/:id', async (context) =>
    context.json((await histories()).pattern(connectionOf(parts), context.req.param('id'))),
  );
  app.get('/api/trends', async (context) => context.json((await histories()).trends(connectionOf(parts))));
  app.get('/api/tools', async (context) => context.json((await histories()).tools(connectionOf(parts))));
  app.get('/api/workstreams', async (context) => {
    const { req } = context;
    const limit = numberIn(req.query('limit'), WORKSTREAMS, MOST_WORKSTREAMS);
    const asked = { search: req.query('search') ?? '', after: req.query('after') ?? '', limit };
    return context.json((await histories()).workstreams(connectionOf(parts), asked));
  });
  app.get('/api/workstreams/:id', async (context) => {
    const connection = connectionOf(parts);
    const run = context.req.query('run');
    const runId = run === undefined ? null : idOfRun(connection, run);
    return context.json(
      (await histories()).workstream(connectionOf(parts), { id: context.req.param('id'), runId }),
    );
  });
}

/** What tells of many runs is loaded when somebody asks for it: most who follow a run never do. */
function loadedOnce(): () => Promise<Histories> {
  let loading: Promise<Histories> | null = null;
  return () => (loading ??= import('./histories.ts').then((module) => new module.Histories()));
}

// ── Logs ──

function addLogs(app: App, parts: DashboardParts): void {
  app.get('/api/runs/:run/logs', parts.access.stream, (context) => {
    const runId = idOfRun(connectionOf(parts), context.req.param('run'));
    return events(context, parts, () => (stream) => {
      const logs = {
        folder: logFolder(parts.state, runId),
        hasEnded: (id: string) => attemptLogs(connectionOf(parts), runId, id).last !== null,
        isOver: () => runNow(connectionOf(parts), runId)?.state !== 'running',
        signal: stream.signal,
      };
      void stream.sendAll(followedRun(logs)).catch(brokenOff);
    });
  });
  app.get('/api/runs/:run/logs/:workstream', async (context) => {
    const { log, isOver } = openLog(logPlace(context, parts), parts);
    if (log === null) return noLog(context);
    const { size } = log;
    const from = Number(context.req.query('from') ?? Number.NaN);
    const asked =
      Number.isSafeInteger(from) && from >= 0
        ? { from, to: size }
        : rangeIn(context.req.header('range'), size);
    if (asked === 'none') {
      log.close();
      context.header('Content-Range', `bytes */${size}`);
      return context.body(null, 416);
    }
    if (!isOver) await wait(REDACTED_MS);
    const range = asked === 'whole' ? { from: 0, to: size } : asked;
    const isPart = asked !== 'whole' && context.req.query('from') === undefined;
    context.header('Content-Type', 'text/plain; charset=utf-8');
    context.header('Accept-Ranges', 'bytes');
    context.header('Content-Length', String(Math.max(0, range.to - range.from)));
    if (isPart) context.header('Content-Range', `bytes ${range.from}-${range.to - 1}/${size}`);
    return context.body(logBody(log, range), isPart ? 206 : 200);
  });
  app.get('/api/runs/:run/logs/:workstream/follow', parts.access.stream, (context) => {
    const place = logPlace(context, parts);
    const given = context.req.header('last-event-id') ?? context.req.query('from');
    const from = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : null;
    return events(context, parts, () => (stream) => {
      const { signal } = stream;
      const open = (): LogFile | null => openLog(place, parts).log;
      const isOver = (): boolean => openLog(place, parts, { isOpened: false }).isOver;
      void stream.sendAll(followedLog({ open, isOver, from, signal })).catch(brokenOff);
    });
  });
}

/** A workstream of a run, as it is in the address. @throws Refusal where there is no such run. */
function logPlace(context: Context, parts: DashboardParts): { runId: string; workstreamId: string } {
  const runId = idOfRun(connectionOf(parts), context.req.param('run') ?? '');
  return { runId, workstreamId: context.req.param('workstream') ?? '' };
}

/** The log of the last attempt at a workstream, and whether nothing more is written to it. */
function openLog(
  { runId, workstreamId }: ReturnType<typeof logPlace>,
  { database, state }: DashboardParts,
  { isOpened = true } = {},
): { log: LogFile | null; isOver: boolean } {
  const connection = connectionOf({ database });
  const attempt = attemptInHand(connection, runId, workstreamId);
  const stored =
    attempt === null ? storedLog(connection, runId, workstreamId) : logName(workstreamId, attempt);
  const log = isOpened && stored !== null ? LogFile.open(logFolder(state, runId), stored) : null;
  const hasEnded = stored !== null || runNow(connection, runId)?.state !== 'running';
  return { log, isOver: attempt === null && hasEnded };
}

const noLog = (context: Context): Response =>
  refusal(context, 404, 'no-log', 'This workstream has printed nothing, or its log was removed.');
