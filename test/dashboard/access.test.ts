/** Who may ask the dashboard, and from where: each rule by a request that breaks it alone. */
import { describe, expect, test } from 'vitest';
import { ask, bearer, fromPage, served, session, TOKEN } from '../kit/dashboard-server.ts';
import { opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A dashboard with one run. */
async function withRun() {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-a')]);
  return served(folder);
}

const errorOf = (text: string): unknown => (JSON.parse(text) as { error: unknown }).error;

describe('a body that is too large', () => {
  test('is refused as JSON, before it is read', async () => {
    const dashboard = await withRun();
    const { status, text } = await ask(dashboard, '/api/session', {
      method: 'POST',
      headers: fromPage(dashboard),
      body: 'x'.repeat(1_000_001),
    });
    expect([status, errorOf(text)]).toEqual([413, 'too-large']);
  });
});

describe('a session', () => {
  test('is needed to read', async () => {
    const { status, text } = await ask(await withRun(), '/api/runs');
    expect([status, errorOf(text)]).toEqual([401, 'no-session']);
  });

  test('is opened by the token, with a cookie for this dashboard alone that no script reads', async () => {
    const dashboard = await withRun();
    const { status, headers } = await ask(dashboard, '/api/session', {
      method: 'POST',
      headers: fromPage(dashboard),
      body: { token: TOKEN },
    });
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(status).toBe(200);
    expect(cookie).toContain(`millrace_${dashboard.port}_`);
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toContain(TOKEN);
  });

  test('is not opened by another token', async () => {
    const dashboard = await withRun();
    const { status, headers } = await ask(dashboard, '/api/session', {
      method: 'POST',
      headers: fromPage(dashboard),
      body: { token: `${TOKEN}x` },
    });
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
  });

  test('lets the page read', async () => {
    const dashboard = await withRun();
    const { cookie } = await session(dashboard);
    const { status, json } = await ask(dashboard, '/api/runs', { headers: { cookie } });
    expect([status, json()['total']]).toEqual([200, 1]);
  });

  test('is not one of another dashboard on the same host', async () => {
    const [one, other] = [await withRun(), await withRun()];
    const { cookie } = await session(one);
    expect((await ask(other, '/api/runs', { headers: { cookie } })).status).toBe(401);
  });

  test('needs its second token for a change', async () => {
    const dashboard = await withRun();
    const { cookie, act } = await session(dashboard);
    const change = (headers: Record<string, string>) =>
      ask(dashboard, '/api/nothing', {
        method: 'POST',
        headers: { ...fromPage(dashboard), cookie, ...headers },
        body: {},
      });
    expect((await change({})).status).toBe(403);
    expect((await change({ 'x-millrace-token': 'x' })).status).toBe(403);
    expect((await change({ 'x-millrace-token': act })).status).toBe(404);
  });

  test('is not needed by a program with the token', async () => {
    const dashboard = await withRun();
    expect((await ask(dashboard, '/api/runs', { headers: bearer })).status).toBe(200);
    const wrong = { authorization: 'Bearer nothing' };
    expect((await ask(dashboard, '/api/runs', { headers: wrong })).status).toBe(401);
  });
});

describe('the host', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST'])('may be %s', async (name) => {
    const dashboard = await withRun();
    const headers = { host: `${name}:${dashboard.port}`, ...bearer };
    expect((await ask(dashboard, '/api/runs', { headers })).status).toBe(200);
  });

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.', '0.0.0.0', '192.168.0.1'])(
    'may not be %s, by which another page could reach it',
    async (name) => {
      const dashboard = await withRun();
      for (const path of ['/', '/api/runs', '/nothing']) {
        const headers = { host: `${name}:${dashboard.port}`, ...bearer };
        expect((await ask(dashboard, path, { headers })).status).toBe(403);
      }
    },
  );

  test('has to have the port', async () => {
    const headers = { host: '127.0.0.1', ...bearer };
    expect((await ask(await withRun(), '/api/runs', { headers })).status).toBe(403);
  });
});

describe('another page', () => {
  test.each(['cross-site', 'same-site', 'none'])('is refused by Sec-Fetch-Site: %s', async (site) => {
    const dashboard = await withRun();
    const { cookie } = await session(dashboard);
    const headers = { cookie, 'sec-fetch-site': site };
    expect((await ask(dashboard, '/api/runs', { headers })).status).toBe(403);
  });

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1'])(
    'is refused by its origin %s',
    async (origin) => {
      const dashboard = await withRun();
      const { cookie } = await session(dashboard);
      expect((await ask(dashboard, '/api/runs', { headers: { cookie, origin } })).status).toBe(403);
    },
  );

  test('can’t try tokens', async () => {
    const dashboard = await withRun();
    const headers = { ...fromPage(dashboard), origin: 'http://evil.example' };
    const asked = { method: 'POST', headers, body: { token: TOKEN } };
    expect((await ask(dashboard, '/api/session', asked)).status).toBe(403);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'can’t send a form: a change of the type %j is refused',
    async (type) => {
      const dashboard = await withRun();
      const { cookie, act } = await session(dashboard);
      const headers = { ...fromPage(dashboard), cookie, 'x-millrace-token': act, 'content-type': type };
      const asked = { method: 'POST', headers, body: '{}' };
      expect((await ask(dashboard, '/api/nothing', asked)).status).toBe(415);
    },
  );

  test('can’t change anything without an origin', async () => {
    const dashboard = await withRun();
    const { cookie, act } = await session(dashboard);
    const headers = { cookie, 'x-millrace-token': act, 'content-type': 'application/json' };
    expect((await ask(dashboard, '/api/nothing', { method: 'POST', headers, body: {} })).status).toBe(403);
  });

  test('can’t open an event stream, which needs a sign of where it comes from', async () => {
    const dashboard = await withRun();
    const { cookie } = await session(dashboard);
    const run = '/api/runs/latest';
    for (const path of ['/api/events', `${run}/events`, `${run}/logs/ws-a/follow`, `${run}/logs`]) {
      expect((await ask(dashboard, path, { headers: { cookie } })).status).toBe(403);
      const headers = { cookie, 'sec-fetch-site': 'same-origin' };
      expect((await ask(dashboard, path, { headers })).status).toBe(200);
    }
  });

  test('gets no leave to read an answer', async () => {
    const dashboard = await withRun();
    const headers = {
      origin: 'http://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-millrace-token',
    };
    const replied = await ask(dashboard, '/api/runs', { method: 'OPTIONS', headers });
    expect(replied.status).toBe(403);
    expect(Object.keys(replied.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('every answer', () => {
  test.each(['/', '/api/runs', '/nothing', '/../../etc/passwd', '/.state/', '/metrics'])(
    'is kept by nobody and shown in no frame: %s',
    async (path) => {
      const { headers, text } = await ask(await withRun(), path, { headers: bearer });
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(text).not.toContain(TOKEN);
    },
  );

  test('to a path that nothing is at says so, and lists no files', async () => {
    const dashboard = await withRun();
    for (const path of ['/nothing', '/../../etc/passwd', '/.state/', '/metrics'])
      expect((await ask(dashboard, path, { headers: bearer })).status).toBe(404);
  });

  test('of the page allows its own script and requests to the dashboard alone', async () => {
    const { headers } = await ask(await withRun(), '/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+'; /);
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toContain('unsafe');
  });
});

describe('metrics', () => {
  test('need the token, and are there where they were asked for', async () => {
    const folder = temporaryFolder();
    record(opened(folder), [result('ws-a'), result('ws-b', { durationSeconds: 7 })]);
    const dashboard = await served(folder, { metrics: true });
    expect((await ask(dashboard, '/metrics')).status).toBe(401);
    const { status, text } = await ask(dashboard, '/metrics', { headers: bearer });
    expect(status).toBe(200);
    expect(text).toContain('millrace_runs{state="ended"} 1\n');
    expect(text).toContain('millrace_workstreams{status="completed",reason=""} 2\n');
    expect(text).toContain('millrace_workstream_duration_seconds_bucket{le="5"} 1\n');
    expect(text).toContain('millrace_workstream_duration_seconds_bucket{le="+Inf"} 2\n');
    expect(text).not.toContain('ws-a');
  });
});
