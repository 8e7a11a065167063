/**
 * Who may ask, and from where. A dashboard on the loopback can be reached by every web page that the user visits, under
 * any host name that its owner lets lead to 127.0.0.1, so that each request has to show that it comes from the
 * dashboard's own page, or from a program that has the token.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { DashboardRefusal } from '../domain/dashboard/answers.ts';
import { isLoopback } from './token.ts';

/** An answer that says what is wrong. */
export const refusal = (
  context: Context,
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 503,
  error: string,
  message: string,
): Response => context.json({ version: 1, error, message } satisfies DashboardRefusal, status);

/** The header in which a page that changes something repeats the token of its session. */
const ACT_HEADER = 'x-millrace-token';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

export interface AccessSettings {
  token: string;
  /** Where it listens. */
  host: string;
  port: number;
  /** What tells this dashboard from others on the same port at other times, such as the path of its database. */
  instance: string;
}

export class Access {
  /** Cookies are the same for all ports of a host, so that their names have to tell dashboards apart. */
  readonly cookieName: string;
  /** What the cookie of a session holds. Whoever reads it does not know the token. */
  readonly cookieValue: string;
  /** What the page repeats in a header where it changes something. */
  readonly actToken: string;
  readonly #settings: AccessSettings;
  readonly #hosts: ReadonlySet<string>;
  readonly #token: HashedSecret;
  readonly #cookie: HashedSecret;
  readonly #act: HashedSecret;

  constructor(settings: AccessSettings) {
    this.#settings = settings;
    const own = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
    const names = [...LOOPBACK, own, ...(isAnyAddress(settings.host) ? [hostname()] : [])];
    this.#hosts = new Set(names.map((name) => `${name}:${settings.port}`.toLowerCase()));
    this.cookieName = `millrace_${settings.port}_${this.#derived('instance').slice(0, 12)}`;
    this.cookieValue = this.#derived('session');
    this.actToken = this.#derived('act');
    this.#token = new HashedSecret(settings.token);
    this.#cookie = new HashedSecret(this.cookieValue);
    this.#act = new HashedSecret(this.actToken);
  }

  isToken(given: string): boolean {
    return this.#token.is(given);
  }

  /** For every request: the name by which the dashboard was reached. */
  readonly host: MiddlewareHandler = async (context, next) => {
    const host = context.req.header('host')?.toLowerCase() ?? '';
    return this.#isOwnHost(host)
      ? next()
      : refusal(
          context,
          403,
          'wrong-host',
          'This name does not lead to the dashboard. Use the address that it printed.',
        );
  };

  /** For the API: that no other web page asks. Comes before anything is looked at, also the token. */
  readonly origin: MiddlewareHandler = async (context, next) => {
    const { req } = context;
    const site = req.header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin')
      return refusal(context, 403, 'cross-site', 'Another web page has asked for this.');
    const origin = req.header('origin');
    const isOwn =
      origin !== undefined && origin.toLowerCase() === `http://${req.header('host')?.toLowerCase()}`;
    if (origin !== undefined && !isOwn)
      return refusal(context, 403, 'cross-origin', 'Another web page has asked for this.');
    if (req.method === 'GET' || req.method === 'HEAD') return next();
    if (!isOwn)
      return refusal(
        context,
        403,
        'no-origin',
        'A change needs the header Origin with the address of the dashboard.',
      );
    if (!/^application\/json(?:;|$)/i.test(req.header('content-type') ?? ''))
      return refusal(context, 415, 'not-json', 'A change needs the content type application/json.');
    return next();
  };

  /** For the API: a session, or the token itself; for changes also the header of a session. */
  readonly session: MiddlewareHandler = async (context, next) => {
    const { req } = context;
    if (this.isBearer(req.header('authorization'))) return next();
    if (!this.#cookie.is(getCookie(context, this.cookieName) ?? ''))
      return refusal(
        context,
        401,
        'no-session',
        'Open the address that the dashboard printed, with its token.',
      );
    const isChange = req.method !== 'GET' && req.method !== 'HEAD';
    if (isChange && !this.#act.is(req.header(ACT_HEADER) ?? ''))
      return refusal(context, 403, 'no-token', `A change needs the header ${ACT_HEADER}.`);
    return next();
  };

  /** For event streams, which a page of another origin can open without asking: a sign that it is none. */
  readonly stream: MiddlewareHandler = async (context, next) => {
    const { req } = context;
    const isKnown =
      req.header('origin') !== undefined ||
      req.header('sec-fetch-site') === 'same-origin' ||
      this.isBearer(req.header('authorization')) ||
      // Browsers say nothing to servers without TLS on other machines; the cookie does not go to other sites.
      !isLoopback(this.#settings.host);
    return isKnown
      ? next()
      : refusal(
          context,
          403,
          'no-origin',
          'An event stream needs the header Origin or Sec-Fetch-Site, or the token as bearer token.',
        );
  };

  /** For programs that have the token, such as Prometheus. */
  readonly bearer: MiddlewareHandler = async (context, next) => {
    if (this.isBearer(context.req.header('authorization'))) return next();
    context.header('WWW-Authenticate', 'Bearer');
    return refusal(
      context,
      401,
      'no-token',
      'This needs the token as bearer token in the header Authorization.',
    );
  };

  isBearer(authorization: string | undefined): boolean {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    return token !== undefined && this.isToken(token);
  }

  /** A name that leads here can be anybody's; an address is nobody's name. */
  #isOwnHost(host: string): boolean {
    if (this.#hosts.has(host)) return true;
    if (!isAnyAddress(this.#settings.host)) return false;
    const [, address = ''] = /^\[?([^\]]*?)\]?:\d+$/.exec(host) ?? [];
    return isIP(address) !== 0 && host.endsWith(`:${this.#settings.port}`);
  }

  #derived(use: string): string {
    const { token, instance } = this.#settings;
    return createHmac('sha256', token).update(`${use}\n${instance}`).digest('base64url');
  }
}

const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** What only those know who may ask. */
class HashedSecret {
  readonly #hash: Buffer;

  constructor(text: string) {
    this.#hash = hashOf(text);
  }

  /** Compares in a time that says nothing about where they differ. */
  is(given: string): boolean {
    return timingSafeEqual(hashOf(given), this.#hash);
  }
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
