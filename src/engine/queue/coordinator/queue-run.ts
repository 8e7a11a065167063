/** A run over a queue: connects, checks what Redis is like, and makes the engine. The one door of this folder. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Workstream } from '../../../domain/workstream.ts';
import { messageOf } from '../../../text/error-message.ts';
import { nameSome } from '../../../text/format.ts';
import { bodiesIn } from '../bodies.ts';
import { closeConnection, openConnection, type QueueAddress, shownAddress } from '../connection.ts';
import { readHosts } from '../hosts.ts';
import { pathsOutside } from '../portable-paths.ts';
import { HOST_CHANNEL, type ProjectSource, RUN_TTL_SECONDS, sourceSchema } from '../protocol.ts';
import { type QueueKey, readQueueKey } from '../sealing.ts';
import { removeAbandonedRuns } from './abandoned-runs.ts';
import { HostCapacity, labelSets } from './host-capacity.ts';
import { HostWatch } from './host-watch.ts';
import { LeaseStore } from './lease-store.ts';
import { MessageReader } from './message-reader.ts';
import { QueueEngine } from './queue-engine.ts';
import { RunSource, type SourceOption } from './source.ts';

/** How long the first answer of Redis is waited for. */
const CONNECT_MS = 10_000;

/** A queue that can't be used; the message is a sentence for a person. */
class QueueProblem extends Error {
  override name = 'QueueProblem';
}

/** What of a run over a queue is stored with it. */
export interface StoredQueueRun {
  nonce: string;
  /** JSON. */
  source: string;
}

export interface QueueRunOptions {
  url: string;
  caFile: string | null;
  keyFile: string | null;
  source: SourceOption;
  /** Seconds that a requirement waits for its first host. */
  waitSeconds: number;
  /** Absolute folder of the project. */
  project: string;
  /** Absolute folders that never travel. */
  excluded: readonly string[];
  setup: string | null;
  redact: { names: string[]; keep: string[] };
  logLevel: string;
  workstreams: readonly Workstream[];
  /** Of the run that is resumed; null for a new one. */
  earlier: StoredQueueRun | null;
  /** Whether the files are those that the earlier session had sent. */
  keepsSource: boolean;
}

/** Tells a person; `workstreamId` is null where it concerns the whole run. */
type Notify = (text: string, workstreamId: string | null) => void;

export class QueueRun {
  readonly engine: QueueEngine;
  readonly stored: StoredQueueRun;
  readonly hosts: HostWatch;
  readonly capacity: HostCapacity;
  #notify: Notify | null = null;
  readonly #untold: Parameters<Notify>[] = [];

  /** @throws QueueProblem, and what `readQueueKey`, `openConnection` and `RunSource.prepare` throw. */
  static async open(options: QueueRunOptions): Promise<QueueRun> {
    const key = readQueueKey(options.keyFile);
    const address = { url: options.url, caFile: options.caFile };
    const connections = openConnections(address);
    const { redis } = connections;
    try {
      const earlier =
        options.earlier === null ? null : sourceSchema.safeParse(JSON.parse(options.earlier.source));
      const checked = checkServer(redis, options.url);
      const [notices, source] = await Promise.all([
        checked,
        RunSource.prepare({
          option: options.source,
          project: options.project,
          excluded: options.excluded,
          earlier: options.keepsSource ? (earlier?.data ?? null) : null,
          bodies: bodiesIn(redis, key),
          usable: checked,
        }),
      ]);
      const nonce = options.earlier?.nonce ?? `n${randomBytes(8).toString('hex')}`;
      const run = new QueueRun(options, {
        key,
        connections,
        source,
        nonce,
      });
      await run.#start(
        [
          ...notices,
          ...source.notices,
          ...outsideNotices(options),
          ...changedSource(earlier?.data ?? null, source.source, options),
        ],
        connections,
        key,
      );
      return run;
    } catch (error) {
      closeAll(connections);
      throw error;
    }
  }

  private constructor(
    options: QueueRunOptions,
    made: { key: QueueKey; connections: Connections; source: RunSource; nonce: string },
  ) {
    const { key, connections, source, nonce } = made;
    const { redis, blocking } = connections;
    const notify: Notify = (text, workstreamId) => this.#tell(text, workstreamId);
    this.stored = { nonce, source: JSON.stringify(source.source) };
    this.hosts = new HostWatch({
      read: () => readHosts(redis, key),
      needed: labelSets(options.workstreams),
      waitSeconds: options.waitSeconds,
      notify: (text) => notify(text, null),
    });
    this.engine = new QueueEngine({
      key,
      nonce,
      project: options.project,
      leases: new LeaseStore({ redis, key, nonce, onError: () => undefined }),
      bodies: bodiesIn(redis, key),
      hosts: this.hosts,
      source,
      setup: source.source.kind === 'shared' ? null : options.setup,
      redact: options.redact,
      logLevel: options.logLevel,
      now: clockOf(redis),
      disconnect: () => closeAll(connections),
      notify,
      messages: (take) =>
        new MessageReader({ redis, blocking, key, nonce, ...take, onProblem: (text) => notify(text, null) }),
    });
    const { engine } = this;
    this.capacity = new HostCapacity(this.hosts, () => engine.inHand);
  }

  async #start(notices: readonly string[], { redis, subscriber }: Connections, key: QueueKey): Promise<void> {
    for (const text of notices) this.#tell(text, null);
    subscriber.on('message', () => this.hosts.hint());
    await Promise.all([
      subscriber.subscribe(HOST_CHANNEL),
      removeAbandonedRuns({ redis, key }, RUN_TTL_SECONDS * 1000, this.stored.nonce),
      this.engine.readLeft(),
      this.hosts.start(),
    ]);
  }

  /** Sets who tells a person; what there was to tell before comes first. */
  notifyTo(notify: Notify): void {
    this.#notify = notify;
    for (const told of this.#untold.splice(0)) notify(...told);
  }

  #tell(...told: Parameters<Notify>): void {
    if (this.#notify === null) this.#untold.push(told);
    else this.#notify(...told);
  }
}

interface Connections {
  redis: Redis;
  /** For commands that block. */
  blocking: Redis;
  /** For channels. */
  subscriber: Redis;
}

/** Made at once, so that one is not waited for after the other. @throws QueueAddressProblem */
function openConnections(address: QueueAddress): Connections {
  const connections = {
    redis: openConnection(address, 'run'),
    blocking: openConnection(address, 'messages'),
    subscriber: openConnection(address, 'hosts'),
  };
  // A connection that was lost is made again; that it was is seen in what does not arrive.
  for (const connection of Object.values(connections)) connection.on('error', () => undefined);
  return connections;
}

function closeAll({ redis, blocking, subscriber }: Connections): void {
  for (const connection of [redis, blocking, subscriber]) closeConnection(connection);
}

/** How long the difference between two clocks counts as known. */
const CLOCK_MS = 60_000;

/** Redis's clock, in milliseconds since 1970: asked once a minute, and told by the monotonic clock in between. */
function clockOf(redis: Redis): () => Promise<number> {
  let [askedAt, ahead] = [Number.NEGATIVE_INFINITY, 0];
  return async () => {
    if (performance.now() - askedAt > CLOCK_MS) {
      const [seconds, microseconds] = await redis.time();
      askedAt = performance.now();
      ahead = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) - askedAt;
    }
    return Math.floor(ahead + performance.now());
  };
}

/** Returns what a person should know of the server. @throws QueueProblem for one that would lose jobs. */
async function checkServer(redis: Redis, url: string): Promise<string[]> {
  const info = await firstAnswer(redis, url);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  if (policy !== 'noeviction')
    throw new QueueProblem(
      `Redis at ${shownAddress(url)} removes keys when its memory is full (maxmemory-policy ${policy}), and with them jobs. Set maxmemory-policy noeviction.`,
    );
  if (/^aof_enabled:0/m.test(info))
    return [
      'Redis has no append-only file: after a crash of Redis, workstreams in hand are executed again. Set appendonly yes.',
    ];
  return [];
}

async function firstAnswer(redis: Redis, url: string): Promise<string> {
  let why = 'it does not answer';
  redis.on('error', (error: Error) => {
    why = messageOf(error);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new QueueProblem(`Redis at ${shownAddress(url)} can't be used: ${why}.`)),
      CONNECT_MS,
    );
  });
  try {
    return await Promise.race([redis.info(), late]);
  } catch (error) {
    if (error instanceof QueueProblem) throw error;
    throw new QueueProblem(`Redis at ${shownAddress(url)} can't be used: ${messageOf(error)}.`);
  } finally {
    clearTimeout(timer);
  }
}

/** What workstreams name and no source brings, in a sentence. */
function outsideNotices({ source, project, workstreams }: QueueRunOptions): string[] {
  if (source === 'shared') return [];
  const outside = workstreams.flatMap((workstream) => pathsOutside(workstream, project));
  if (outside.length === 0) return [];
  return [
    `Hosts need these at the same place, because they are outside the project: ${nameSome([...new Set(outside)])}.`,
  ];
}

function changedSource(
  earlier: ProjectSource | null,
  now: ProjectSource,
  { keepsSource }: QueueRunOptions,
): string[] {
  if (earlier === null || keepsSource || JSON.stringify(earlier) === JSON.stringify(now)) return [];
  return [
    'The files of the project changed since the run was interrupted: what hosts still have of it is stopped and done again.',
  ];
}
