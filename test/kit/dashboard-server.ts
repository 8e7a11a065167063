/** A dashboard in the process of the test, and requests with any headers. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished, vi } from 'vitest';
import { type Dashboard, startDashboard } from '../../src/dashboard/server.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { begins, databaseIn, opened, started } from './recorded-run.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const TOKEN = 'a-token-of-the-test-0123456789';

export interface Served extends Dashboard {
  folder: string;
  port: number;
}

/** Serves the database of a folder, which is ended with the test. */
export async function served(
  folder: string = temporaryFolder(),
  { metrics = false, host = '127.0.0.1' } = {},
): Promise<Served> {
  const database = databaseIn(folder);
  const dashboard = await startDashboard({ database, host, port: 0, token: TOKEN, metrics });
  onTestFinished(() => dashboard.close());
  return { ...dashboard, folder, port: Number(new URL(dashboard.address).port) };
}

/** A dashboard of a run under way, `ws-a` in hand. It sends heartbeats when the test lets time pass with `vi`. */
export async function servedUnderWay(): Promise<Served> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const dashboard = await served();
  const recorder = new SqliteRecorder(opened(dashboard.folder));
  recorder.take([started(['ws-a']), begins('ws-a')]);
  recorder.commit();
  return dashboard;
}

export interface Replied {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: () => Record<string, unknown>;
}

/** What a program asks that may set every header, also `Host`. */
export function ask(
  { port }: Pick<Served, 'port'>,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Replied> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      const done = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        });
      // A stream has no end.
      if (response.headers['content-type'] === 'text/event-stream') {
        response.destroy();
        done();
        return;
      }
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', done);
    });
    sent.on('error', reject);
    if (body !== undefined) {
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      sent.setHeader('content-length', bytes.length);
      sent.write(bytes);
    }
    sent.end();
  });
}

/** The headers of the dashboard's own page. */
export const fromPage = ({ port }: Pick<Served, 'port'>): Record<string, string> => ({
  origin: `http://127.0.0.1:${port}`,
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
});

/** A session as the page opens it: the cookie, and the token that it repeats. */
export async function session(dashboard: Served): Promise<{ cookie: string; act: string }> {
  const replied = await ask(dashboard, '/api/session', {
    method: 'POST',
    headers: fromPage(dashboard),
    body: { token: TOKEN },
  });
  const [cookie = ''] = (replied.headers['set-cookie']?.[0] ?? '').split(';');
  return { cookie, act: String(replied.json()['actToken']) };
}

export const bearer = { authorization: `Bearer ${TOKEN}` };
