/** Starts and ends the dashboard. */

import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { livePage } from '../report/page.ts';
import { WatchedDatabase } from '../store/read/live/watched-database.ts';
import { Access } from './access.ts';
import { Answers } from './answers.ts';
import { Feeds } from './feeds.ts';
import { dashboardRoutes } from './routes.ts';

export interface DashboardSettings {
  /** Absolute path of the database, which need not exist yet. */
  database: string;
  host: string;
  /** 0 for one that is free. */
  port: number;
  token: string;
  /** Whether it answers Prometheus at /metrics. */
  metrics: boolean;
}

/** A dashboard that answers. */
export interface Dashboard {
  /** Without a token: `http://127.0.0.1:4747`. */
  address: string;
  /** Ends it, with all connections. */
  close(): Promise<void>;
}

/** Connections that ask for nothing are not kept for long, and requests that come in drops are refused. In milliseconds. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;

/** A connection on which nothing moves is closed: what waits for its client is held in memory. Streams send heartbeats. */
const STILL_MS = 60_000;

/** Most connections: each open page has one, or a few. */
const CONNECTIONS = 1_000;

/** @throws the system's error where it can't listen there. */
export async function startDashboard(settings: DashboardSettings): Promise<Dashboard> {
  const { database: path, host, port, token } = settings;
  const database = new WatchedDatabase(path);
  const feeds = new Feeds(database);
  const answers = new Answers(path);
  // The port decides what the cookie is called, so that nothing is answered before it is known.
  let answer: ReturnType<typeof dashboardRoutes>['fetch'] | null = null;
  const listener = getRequestListener(
    (request, env) => answer?.(request, env) ?? new Response(null, { status: 503 }),
    { overrideGlobalObjects: false },
  );
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.timeout = STILL_MS;
  server.maxConnections = CONNECTIONS;
  const actual = await listen(server, host, port);
  const access = new Access({ token, host, port: actual, instance: path });
  const app = dashboardRoutes({
    database,
    state: dirname(path),
    access,
    feeds,
    answers,
    hasMetrics: settings.metrics,
    page: livePage,
    answered: RESPONSE_ALREADY_SENT,
  });
  answer = app.fetch;
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: async () => {
      feeds.close();
      answers.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      database.close();
    },
  };
}

/** The port on which it listens. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
