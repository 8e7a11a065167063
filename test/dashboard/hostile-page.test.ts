/** A page of another origin, in the same browser as the dashboard's own: it reads nothing, changes nothing, shows nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { launchBrowser } from '../kit/browser.mjs';
import { browserTest } from '../kit/chromium.ts';
import { type Served, served, TOKEN } from '../kit/dashboard-server.ts';
import { opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A page of nobody's, on the loopback as well, under this name. */
async function hostileServer(name: string): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>hostile</title>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${name}:${(server.address() as AddressInfo).port}/`;
}

interface Visit {
  dashboard: Served;
  /** The user's window with the dashboard, which has a session. */
  own: Page;
  /** Another one of the same browser, with the hostile page. */
  hostile: Page;
  context: BrowserContext;
}

/** A browser with a session of a dashboard, that visits a hostile page. */
async function visit(name = '127.0.0.1'): Promise<Visit> {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-secret')]);
  const dashboard = await served(folder);
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const context = await browser.newContext();
  const own = await context.newPage();
  await own.goto(`${dashboard.address}/#token=${TOKEN}`);
  await own.waitForFunction(`fetch('/api/session').then(({ ok }) => ok)`);
  const hostile = await context.newPage();
  await hostile.goto(await hostileServer(name));
  return { dashboard, own, hostile, context };
}

/** What a script of the hostile page comes to. */
const script = (page: Page, text: string): Promise<unknown> => page.evaluate(`(async () => { ${text} })()`);

browserTest('the own page reads with its session', async () => {
  const { own } = await visit();
  expect(await script(own, `return (await (await fetch('/api/runs')).json()).total`)).toBe(1);
});

browserTest('a hostile page can’t read by fetch, in any mode', async () => {
  const { dashboard, hostile } = await visit();
  for (const mode of ['cors', 'no-cors'])
    expect(
      await script(
        hostile,
        `try {
          const response = await fetch('${dashboard.address}/api/runs', { mode: '${mode}', credentials: 'include' });
          return response.type + (await response.text());
        } catch (error) { return 'refused'; }`,
      ),
    ).toMatch(/^(?:refused|opaque)$/);
});

browserTest('a hostile page can’t change anything by fetch or by a form', async () => {
  const { dashboard, hostile, context } = await visit();
  const statuses: number[] = [];
  context.on('response', (response) => {
    if (response.request().method() === 'POST') statuses.push(response.status());
  });
  const path = `${dashboard.address}/api/runs/latest/stop`;
  await script(
    hostile,
    `await fetch('${path}', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"workstreams":[]}' }).catch(() => 0);
     await fetch('${path}', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json', 'x-millrace-token': 'x' }, body: '{}' }).catch(() => 0);`,
  );
  const submitted = hostile.waitForResponse(
    (response) => response.url() === path && response.request().isNavigationRequest(),
  );
  await hostile.evaluate(
    `document.body.innerHTML = '<form method="post" enctype="text/plain" action="${path}"><input name="x" value="y"></form>'; document.forms[0].submit()`,
  );
  expect((await submitted).status()).toBe(403);
  expect(statuses.filter((status) => status < 400)).toEqual([]);
});

browserTest('a hostile page can’t open an event stream', async () => {
  const { dashboard, hostile } = await visit();
  const opens = (init: string) =>
    script(
      hostile,
      `return new Promise((resolve) => {
        const source = new EventSource('${dashboard.address}/api/events', ${init});
        source.onopen = () => resolve('open');
        source.onerror = () => { source.close(); resolve('refused'); };
      })`,
    );
  expect(await opens('{ withCredentials: true }')).toBe('refused');
  expect(await opens('{}')).toBe('refused');
});

browserTest('a hostile page can’t load an answer as a picture, a script or a frame', async () => {
  const { dashboard, hostile } = await visit();
  const loads = (tag: string, address: string) =>
    script(
      hostile,
      `return new Promise((resolve) => {
        const element = document.createElement('${tag}');
        element.onload = () => resolve('loaded');
        element.onerror = () => resolve('refused');
        element.src = '${address}';
        document.body.append(element);
      })`,
    );
  expect(await loads('img', `${dashboard.address}/api/runs`)).toBe('refused');
  expect(await loads('script', `${dashboard.address}/api/runs`)).toBe('refused');
  await loads('iframe', `${dashboard.address}/`);
  const frame = hostile.frames().find((each) => each !== hostile.mainFrame());
  // What is refused to be framed is an error page of the browser.
  expect(frame?.url()).toBe('chrome-error://chromewebdata/');
});

browserTest('a hostile page can’t take a socket to it', async () => {
  const { dashboard, hostile } = await visit();
  expect(
    await script(
      hostile,
      `return new Promise((resolve) => {
        const socket = new WebSocket('ws://127.0.0.1:${dashboard.port}/api/events');
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
      })`,
    ),
  ).toBe('refused');
});

browserTest('a name that is made to lead to the dashboard leads nowhere', async () => {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-secret')]);
  const dashboard = await served(folder);
  const browser = await launchBrowser(['--host-resolver-rules=MAP rebound.example 127.0.0.1']);
  onTestFinished(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  const response = await page.goto(`http://rebound.example:${dashboard.port}/#token=${TOKEN}`);
  expect(response?.status()).toBe(403);
  // Its policy lets it ask nobody.
  expect(await script(page, `return fetch('/api/runs').then(({ status }) => status, () => 'refused')`)).toBe(
    'refused',
  );
  const asked = await page.goto(`http://rebound.example:${dashboard.port}/api/runs`);
  expect(asked?.status()).toBe(403);
});
