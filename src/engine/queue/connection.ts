/** Connections to the Redis of a queue. */
import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';

/**
 * A connection on which nothing arrives for so long, although something was asked, is dead: without this a connection
 * that was cut without a word is noticed after minutes.
 */
const SILENCE_MS = 15_000;
/** The longest that a command on such a connection may block. */
export const MOST_BLOCKED_MS = 5_000;
const CONNECT_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;
const MOST_RETRY_MS = 2_000;

/** An address that no queue can be at; the message is a sentence for a person. */
export class QueueAddressProblem extends Error {
  override name = 'QueueAddressProblem';
}

export interface QueueAddress {
  /** `redis://`, `rediss://` (TLS) or `unix:///path/to/socket`. */
  url: string;
  /** Certificates of authorities, in PEM, that a server with TLS may be signed by; null for the system's. */
  caFile: string | null;
}

/** An address without its password, for a person. */
export function shownAddress(url: string): string {
  if (!URL.canParse(url)) return 'an address that is no URL';
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.href;
}

/** Without the one that changes the type of a client. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** @throws QueueAddressProblem */
function connectionOptions({ url, caFile }: QueueAddress, name: string): Options {
  if (!URL.canParse(url)) throw new QueueAddressProblem(wrongAddress('That is no URL.'));
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  const database = databaseOf(protocol === 'unix:' ? searchParams.get('db') : pathname.slice(1));
  const common = {
    ...COMMON,
    connectionName: `millrace-${name}`,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
  switch (protocol) {
    case 'unix:':
      if (pathname.length < 2) throw new QueueAddressProblem(wrongAddress('It names no socket.'));
      return { ...common, path: decodeURIComponent(pathname), db: database };
    case 'redis:':
    case 'rediss:':
      return {
        ...common,
        host: hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
        port: port === '' ? 6379 : Number(port),
        db: database,
        ...(protocol === 'redis:' ? {} : { tls: tlsOf(hostname, caFile) }),
      };
    default:
      throw new QueueAddressProblem(wrongAddress(`It begins with ${protocol}//.`));
  }
}

/** Commands wait for as long as Redis is away. The caller handles its `error` events, and closes it. */
export const openConnection = (address: QueueAddress, name: string): Redis =>
  new Redis(connectionOptions(address, name));

/**
 * Ends a connection: what waits for it fails. A second call does nothing: ioredis would wait two seconds for the end of a
 * stream that has ended, and keep its process alive for as long.
 */
export function closeConnection(redis: Redis): void {
  if (redis.status === 'end') return;
  // Between two attempts ioredis would cancel the next one, and leave what waits for it waiting for ever.
  if (redis.status === 'reconnecting') redis.connect().catch(() => undefined);
  redis.disconnect();
}

/**
 * Resolves or rejects as the answer does, and rejects when the connection is closed. Whatever is waited for without a limit
 * needs that: ioredis forgets what it had sent on a connection that was lost, where that is closed before it is ready again.
 */
export function unlessClosed<T>(redis: Redis, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error('Connection is closed.'));
    redis.once('end', closed);
    answer.then(resolve, reject).finally(() => redis.off('end', closed));
  });
}

const COMMON = {
  // Replies have the same shape from every version of Redis.
  protocol: 2,
  maxRetriesPerRequest: null,
  enableReadyCheck: true,
  socketTimeout: SILENCE_MS,
  connectTimeout: CONNECT_MS,
  keepAlive: KEEP_ALIVE_MS,
  retryStrategy: (times: number): number => Math.min(MOST_RETRY_MS, 50 * 2 ** Math.min(times, 6)),
} satisfies Options;

const wrongAddress = (why: string): string =>
  `The address of the queue can't be used. ${why} Give redis://HOST:PORT, rediss://HOST:PORT or unix:///path/to/socket.`;

function databaseOf(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new QueueAddressProblem(wrongAddress('Its database is no number.'));
  return Number(text);
}

function tlsOf(hostname: string, caFile: string | null): RedisOptions['tls'] {
  const servername = { servername: hostname };
  if (caFile === null) return servername;
  try {
    return { ...servername, ca: readFileSync(caFile) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new QueueAddressProblem(`The certificates in ${caFile} can't be read: ${why}.`);
  }
}
