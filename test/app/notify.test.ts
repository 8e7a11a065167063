/** Webhooks that are told of the end of a run: real servers, which answer as a test says. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sendNotification, webhooksIn } from '../../src/app/notify.ts';
import { documentHead } from '../../src/report/document.ts';
import { notificationBody, notificationOf, notificationSchema } from '../../src/report/notification.ts';
import { emptyResult, runSummary } from '../kit/consolidated-result.ts';

const notification = notificationOf(documentHead(emptyResult({ run: runSummary() }), null), {
  exitCode: 1,
  report: '/reports/run.md',
  page: null,
});

/** A server that answers with these statuses, one after the other; 0 for no answer. */
async function hook(...statuses: number[]) {
  const bodies: unknown[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      headers.push(request.headers.authorization);
      const status = statuses[bodies.length - 1] ?? statuses.at(-1) ?? 200;
      if (status !== 0)
        response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { bodies, headers, port, url: `http://127.0.0.1:${port}/hook?secret=s3cret` };
}

describe('a webhook', () => {
  test('gets what its schema says', async () => {
    const { url, bodies } = await hook(200);
    expect(await sendNotification(webhooksIn(url), notification)).toEqual([]);
    expect(notificationSchema.parse(bodies[0])).toEqual(notification);
  });

  test('is tried again where it can’t answer now', async () => {
    const { url, bodies } = await hook(503, 200);
    expect(await sendNotification(webhooksIn(url), notification)).toEqual([]);
    expect(bodies).toHaveLength(2);
  });

  test.each([400, 404, 302])(
    'is not tried again after status %i, and is named without its secret',
    async (status) => {
      const { url, bodies, port } = await hook(status);
      expect(await sendNotification(webhooksIn(url), notification)).toEqual([
        `http://127.0.0.1:${port}/… was not told of the end of ${notification.runId}: it answered with status ${status}.`,
      ]);
      expect(bodies).toHaveLength(1);
    },
  );

  test('that never answers is waited for no longer than the bound', async () => {
    const { url } = await hook(0);
    const [problem] = await sendNotification(webhooksIn(url), notification, 300);
    expect(problem).toMatch(/: it did not answer in time\.$/);
  });

  test.each([
    ['me:p%40ss', 'me:p@ss'],
    ['me:100%', 'me:100%'],
    ['%zz:p%40ss', '%zz:p@ss'],
    [':p', ':p'],
    ['me', 'me:'],
  ])('gets the name and password of its address in a header: %s', async (given, sent) => {
    const { url, headers } = await hook(200);
    const hooks = webhooksIn(url.replace('http://', `http://${given}@`));
    expect(await sendNotification(hooks, notification)).toEqual([]);
    expect(headers).toEqual([`Basic ${Buffer.from(sent).toString('base64')}`]);
  });

  test('does not keep others from being told', async () => {
    const [one, other] = [await hook(404), await hook(200)];
    const problems = await sendNotification(webhooksIn(`${one.url},${other.url}`), notification);
    expect([problems.length, other.bodies.length]).toEqual([1, 1]);
  });
});

test.each(['ftp://example.com/s3cret', 's3cret', 'file:///s3cret'])(
  'what is no address of a webhook is refused, and not repeated: %s',
  (address) => {
    expect(() => webhooksIn(address)).toThrow(/^--notify takes addresses that begin with https/);
    expect(() => webhooksIn(address)).not.toThrow(/s3cret/);
  },
);

describe('a chat', () => {
  const hostile = { ...notification, verdict: '<!channel> @everyone *bold* & more' };

  test('is known by its host', () => {
    const formats = ['https://hooks.slack.com/services/T/B/x', 'https://discord.com/api/webhooks/1/x'];
    expect(webhooksIn(formats.join(',')).map(({ format }) => format)).toEqual(['slack', 'discord']);
    expect(webhooksIn('https://hooks.slack.com.evil.example/x')[0]?.format).toBeNull();
  });

  test('calls nobody by what a workstream has written', () => {
    expect(notificationBody(hostile, 'slack')).toContain('&lt;!channel&gt; @everyone *bold* &amp; more');
    expect(JSON.parse(notificationBody(hostile, 'discord'))).toMatchObject({
      allowed_mentions: { parse: [] },
    });
  });
});
