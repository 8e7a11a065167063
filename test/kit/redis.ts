/** Real Redis servers for tests, each with a socket and a folder of its own, and what cuts a connection to one. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

const found = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** False where the tests of queues are left out: not in CI, where they fail for want of a server. */
export const hasRedis = found || process.env['CI'] !== undefined;
if (!hasRedis)
  console.warn('Tests of queues are skipped: there is no redis-server on PATH (apt install redis-server).');

/** The same on every host of a test. */
export const QUEUE_KEY = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

export interface RedisServerOptions {
  /** Whether each write is on the disk before it is answered, so that a killed server comes back with everything. */
  aof?: boolean;
  /** More options of redis-server, such as `['--maxmemory', '20mb']`. */
  extra?: readonly string[];
  /** A command that executes the one that follows it, such as `['ip', 'netns', 'exec', NAME]`. */
  within?: readonly string[];
}

export class RedisServer {
  /** `unix:///…`, for `--queue`. */
  readonly url: string;
  readonly socket: string;
  readonly #folder: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess | null = null;
  #client: Redis | null = null;

  private constructor(options: RedisServerOptions) {
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-redis-')));
    this.socket = join(this.#folder, 'redis.sock');
    this.url = `unix://${this.socket}`;
    this.#options = options;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options);
    await server.start();
    return server;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the server is not running');
    return this.#process.pid;
  }

  /** A connection of the test's own. */
  get client(): Redis {
    if (this.#client === null) {
      this.#client = new Redis({ path: this.socket, maxRetriesPerRequest: null, retryStrategy: () => 20 });
      // A test may stop its server.
      this.#client.on('error', () => undefined);
    }
    return this.#client;
  }

  /** Starts it, again with what it had on the disk. Resolves when it answers. */
  async start(): Promise<void> {
    const { aof = false, extra = [], within = [] } = this.#options;
    const persistence = aof ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    rmSync(this.socket, { force: true });
    const [program, ...args] = [...within, 'redis-server'];
    this.#process = spawn(
      program,
      [
        ...args,
        '--port',
        '0',
        '--unixsocket',
        this.socket,
        '--dir',
        this.#folder,
        '--save',
        '',
        ...persistence,
        ...extra,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await accepts(this.#process);
  }

  /** Stops it as an operator does. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process;
    if (running === null) return;
    this.#process = null;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  /** Ends it, and removes what it left. */
  async close(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Resolves when the server has printed that it is ready. */
async function accepts(server: ChildProcess): Promise<void> {
  const { stdout } = server;
  if (stdout === null) throw new Error('its output is not read');
  await new Promise<void>((resolve, reject) => {
    let printed = '';
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${printed}`)));
    stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (/ready to accept connections/i.test(printed)) resolve();
    });
  });
  server.removeAllListeners('exit');
  stdout.removeAllListeners('data').resume();
}

/** A TCP port that passes everything on to a server's socket, until it is told otherwise. */
export class RedisProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  /** `open`, `cut`: connections are refused; `silent`: nothing passes in either direction, and nobody is told. */
  #mode: 'open' | 'cut' | 'silent' = 'open';
  #endsTraffic: () => boolean = () => false;

  private constructor(target: string) {
    this.#server = createServer((inner) => {
      if (this.#mode === 'cut') return void inner.destroy();
      this.#connect(inner, createConnection(target));
    });
  }

  static async to({ socket }: RedisServer): Promise<RedisProxy> {
    const proxy = new RedisProxy(socket);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return `redis://127.0.0.1:${address.port}`;
  }

  /** Ends all connections, and refuses new ones. */
  cut(): void {
    this.#mode = 'cut';
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Asks before each piece that a client sends; as soon as this is true, that one and all others are lost. */
  cutWhen(endsTraffic: () => boolean): void {
    this.#endsTraffic = endsTraffic;
  }

  /** Passes nothing on any more, on connections that stay open, as a network does that loses packets. */
  silence(): void {
    this.#mode = 'silent';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Passes on what comes on new connections; those that were silent stay so. */
  open(): void {
    this.#mode = 'open';
  }

  /** Passes on what was held back as well. */
  resume(): void {
    this.#mode = 'open';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(inner: Socket, outer: Socket): void {
    const pair: [Socket, Socket] = [inner, outer];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on('data', (bytes) => {
        if (from === inner && this.#endsTraffic()) return this.cut();
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      if (this.#mode === 'silent') from.pause();
    }
  }
}
