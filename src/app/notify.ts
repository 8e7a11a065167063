/** Tells the end of a run to webhooks. None of them can fail the run, or hold up its end for longer than a bound. */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { packageVersion } from '../os/package-version.ts';
import { type ChatFormat, type Notification, notificationBody } from '../report/notification.ts';
import { messageOf } from '../text/error-message.ts';
import { Refusal } from './refusal.ts';

/** Most addresses. */
const MOST = 10;

/** How long the end of a run waits for all of them together, and for one answer, in milliseconds. */
const BOUND_MS = 10_000;
const ANSWER_MS = 4_000;

/** Pauses before further attempts, in milliseconds. */
const PAUSES_MS = [500, 1_500, 3_000];

/** Where the end of a run is told. */
export interface Webhook {
  url: URL;
  format: ChatFormat | null;
  /** The address without what is secret in it. */
  shown: string;
}

/**
 * The webhooks in a list of addresses, with commas between them.
 * @throws Refusal with exit code 2 for what is no address of a webhook. It does not repeat it: it may be a secret.
 */
export function webhooksIn(list: string | undefined): Webhook[] {
  const addresses = (list ?? '').split(',').map((each) => each.trim());
  const given = addresses.filter((each) => each !== '');
  if (given.length > MOST) throw new Refusal(2, `--notify takes at most ${MOST} addresses.`);
  return given.map((address, index) => webhookOf(address, index + 1));
}

function webhookOf(address: string, number: number): Webhook {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Refusal(
      2,
      `--notify takes addresses that begin with https:// or http://, and ${number === 1 ? 'what it was given' : `number ${number} of those`} is none.`,
    );
  return { url, format: formatOf(url), shown: `${url.protocol}//${url.host}/…` };
}

/** By the host, as there is nothing else to know it by. */
function formatOf({ hostname, pathname }: URL): ChatFormat | null {
  if (hostname === 'hooks.slack.com' || hostname === 'hooks.slack-gov.com') return 'slack';
  const isDiscord = /^(?:(?:canary|ptb)\.)?discord(?:app)?\.com$/.test(hostname);
  return isDiscord && pathname.startsWith('/api/webhooks/') ? 'discord' : null;
}

/**
 * Sends a notification to all webhooks at once, and tries again where an answer may be another the next time.
 * @param boundMs after which nothing is waited for any more. Default: 10,000.
 * @returns a sentence for each webhook that has not taken it. Never rejects.
 */
export async function sendNotification(
  webhooks: readonly Webhook[],
  notification: Notification,
  boundMs: number = BOUND_MS,
): Promise<string[]> {
  const deadline = performance.now() + boundMs;
  const problems = await Promise.all(
    webhooks.map(async (webhook) => {
      const problem = await send(webhook, notificationBody(notification, webhook.format), deadline);
      return problem === null
        ? null
        : `${webhook.shown} was not told of the end of ${notification.runId}: ${problem}.`;
    }),
  );
  return problems.filter((problem) => problem !== null);
}

/** Null where it was taken; else a clause. */
async function send(webhook: Webhook, body: string, deadline: number): Promise<string | null> {
  for (let attempt = 0; ; attempt += 1) {
    const { problem, isFinal } = await post(webhook, body, deadline - performance.now());
    const pause = PAUSES_MS[attempt];
    if (problem === null || isFinal || pause === undefined) return problem;
    if (performance.now() + pause >= deadline) return problem;
    await wait(pause);
  }
}

/** What came of one attempt, and whether another one would be of no use. */
interface Posted {
  problem: string | null;
  isFinal: boolean;
}

/** Answers after which a server may take it the next time. */
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

async function post({ url, shown }: Webhook, body: string, leftMs: number): Promise<Posted> {
  const address = new URL(url);
  // `fetch` takes no address with a password.
  address.username = address.password = '';
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `millrace/${packageVersion()}`,
        ...authorizationOf(url),
      },
      body,
      // Where it leads to was not asked for.
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.ceil(Math.max(1, Math.min(ANSWER_MS, leftMs)))),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    return { problem: ok ? null : `it answered with status ${status}`, isFinal: ok || !AGAIN.has(status) };
  } catch (error) {
    return { problem: reasonOf(error, shown), isFinal: false };
  }
}

/** The name and the password of an address, either of which may be empty. */
function authorizationOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`);
  return { authorization: `Basic ${credentials.toString('base64')}` };
}

/** A password may have a percent sign that begins no escape: then it is taken as it was typed. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `fetch` says in the cause what went wrong, and must not say where. */
function reasonOf(error: unknown, shown: string): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
  if (cause !== null && 'code' in cause && typeof cause.code === 'string')
    return `it can't be reached (${cause.code})`;
  return `it can't be reached (${messageOf(cause ?? error).replaceAll(/https?:\/\/\S+/g, shown)})`;
}
