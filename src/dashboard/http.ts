/** How requests are read and answered, whatever they ask for. */
import type { ServerResponse } from 'node:http';
import { type Context, Hono } from 'hono';
import { Refusal } from '../app/refusal.ts';
import { type Access, refusal } from './access.ts';
import { ClientStream } from './client-stream.ts';
import { failureOf, type RequestFailure, Unanswered } from './failure.ts';

/** Beside each request: how Node's server answers it. */
interface FromNode {
  Bindings: { outgoing: ServerResponse };
}
export type App = Hono<FromNode>;
type NodeContext = Context<FromNode>;

/** What answers nothing yet, and each request with what holds for all: the headers, the name of the host, what went wrong. */
export function newApp({ host }: Pick<Access, 'host'>): App {
  const app: App = new Hono();
  app.use(safeHeaders);
  app.use(unreadBody);
  app.use(host);
  app.onError((error, context) => answerError(error, context));
  app.notFound((context) => nothingHere(context, methodsAt(app, context.req.path)));
  return app;
}

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

/** Set on Node's own response, so that an answer with events has them too. */
async function safeHeaders({ env }: NodeContext, next: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) env.outgoing.setHeader(name, value);
  await next();
}

/** A HEAD request is answered as GET, without the body: what that holds open is closed. */
async function unreadBody(context: Context, next: () => Promise<void>): Promise<void> {
  await next();
  if (context.req.method === 'HEAD') await context.res.body?.cancel();
}

function answerError(thrown: Error, context: Context): Response {
  const { status, error, message } = failureOf(thrown);
  return refusal(context, status, error, message);
}

/** Of the methods that are in use here, those with which there is something at a path. */
const methodsAt = ({ router }: App, path: string): string[] =>
  ['GET', 'POST'].flatMap((method) => {
    const [handlers] = router.match(method, path);
    const isThere = handlers.some(([[, route]]) => route.method === method);
    return !isThere ? [] : method === 'GET' ? ['GET', 'HEAD'] : [method];
  });

function nothingHere(context: Context, allowed: readonly string[]): Response {
  if (allowed.length === 0) return refusal(context, 404, 'not-found', 'There is nothing here.');
  const allow = allowed.join(', ');
  context.header('Allow', allow);
  return refusal(context, 405, 'wrong-method', `This takes ${allow.replace(/, (?=\w+$)/, ' and ')} alone.`);
}

/** Most bytes of what a page sends. */
const MOST_BODY = 1_000_000;

const TOO_LARGE: RequestFailure = {
  status: 413,
  error: 'too-large',
  message: `A body needs a Content-Length of at most ${MOST_BODY} bytes.`,
};

/** What was sent as JSON; undefined for what is no JSON. @throws Unanswered for too much. */
export async function jsonBody(context: Context): Promise<unknown> {
  const length = Number(context.req.header('content-length') ?? Number.NaN);
  if (!(length <= MOST_BODY)) throw new Unanswered(TOO_LARGE);
  try {
    return await context.req.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A parameter of the address; null for none. @throws Refusal for what is no whole number from `least`. */
export function numberIn(context: Context, name: string, least: number): number | null {
  const given = context.req.query(name);
  if (given === undefined) return null;
  const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < least)
    throw new Refusal(2, `${name} takes a whole number from ${least}.`);
  return number;
}

/** A text around pieces of it that are made, or asked for, as fast as the client takes them. */
export function bodyOf(
  before: string,
  pieces: Iterable<string> | AsyncIterable<Uint8Array>,
  after: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  // Not a generator around them: one that has not begun can't end them where the client has left.
  const made = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  let hasBegun = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!hasBegun) {
          hasBegun = true;
          return controller.enqueue(encoder.encode(before));
        }
        const { done, value } = await made.next();
        controller.enqueue(
          typeof value === 'string' ? encoder.encode(value) : (value ?? encoder.encode(after)),
        );
        if (done === true) controller.close();
      },
      cancel: async () => void (await made.return?.()),
    },
    { highWaterMark: 0 },
  );
}

/**
 * Answers with events.
 * @param answered returned for a request that is answered through Node's own response.
 * @param prepare reads what may be refused, before the answer begins, and returns what sends. Not called for a HEAD request.
 */
export function events(
  context: NodeContext,
  { answered }: { answered: Response },
  prepare: () => (stream: ClientStream) => void,
): Response {
  if (context.req.method === 'HEAD') return context.body(null, 200, { 'Content-Type': 'text/event-stream' });
  const begin = prepare();
  begin(new ClientStream(context.env.outgoing));
  return answered;
}

/** A stream that broke off has ended: its client asks again, and is answered what is wrong. */
export const brokenOff = (error: unknown): void => void failureOf(error);
