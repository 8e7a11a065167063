/** Makes the parts of runs over two hosts fail, one at a time, and checks what the runs leave. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';
import { type StartedWorker, startWorker } from '../kit/queue-worker.ts';
import { seededRandom } from '../kit/random.ts';
import { QUEUE_KEY, RedisProxy, RedisServer } from '../kit/redis.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const WORKSTREAMS = 30;
/** Longer than a lease and the look for stalled jobs. */
const LONGEST_MS = 3_500;

const KINDS = ['host-killed', 'host-stopped', 'network-cut', 'redis-killed', 'run-killed'] as const;
type Kind = (typeof KINDS)[number];
/** Those in which a host can lose a lease to the other one, which then begins what it had in hand once more. */
const REPEATING: readonly Kind[] = ['host-killed', 'host-stopped', 'network-cut'];

export interface FaultCount {
  runs: number;
  faults: Record<Kind, number>;
  /** Executions that began once more. */
  repeated: number;
}

/** @throws AssertionError where a run lost something, took something twice, or left a process. */
export async function faults({ seed, count }: { seed: number; count: number }): Promise<FaultCount> {
  const done: FaultCount = {
    runs: 0,
    faults: { 'host-killed': 0, 'host-stopped': 0, 'network-cut': 0, 'redis-killed': 0, 'run-killed': 0 },
    repeated: 0,
  };
  const hosts = await Machines.start(seededRandom(seed));
  for (let left = count; left > 0; ) {
    const run = new FaultyRun(hosts);
    const made: Kind[] = [];
    while (made.length < left && (await run.isBusy())) {
      const kind = hosts.pick(KINDS);
      if (await run.suffer(kind)) made.push(kind);
    }
    done.repeated += await run.check(made);
    done.runs += 1;
    for (const kind of made) done.faults[kind] += 1;
    left -= made.length;
  }
  return done;
}

/** Redis and two hosts, one of which is behind a network that can be cut. */
class Machines {
  readonly #random: () => number;
  readonly #workers: StartedWorker[] = [];
  readonly #places: { url: string; name: string; state: string }[];

  private constructor(
    readonly server: RedisServer,
    readonly proxy: RedisProxy,
    random: () => number,
  ) {
    this.#random = random;
    this.#places = [server.url, proxy.url].map((url, index) => ({
      url,
      name: `host-${index + 1}`,
      state: temporaryFolder(),
    }));
  }

  static async start(random: () => number): Promise<Machines> {
    const server = await RedisServer.start({ aof: true });
    onTestFinished(() => server.close());
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    const machines = new Machines(server, proxy, random);
    for (const { url, name, state } of machines.#places)
      machines.#workers.push(await startWorker(url, name, { state }));
    return machines;
  }

  pick<T>(all: readonly T[]): T {
    const picked = all[Math.floor(this.#random() * all.length)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  }

  /** A random time, up to one that is longer than a lease. */
  while(): Promise<void> {
    return pause(this.#random() * LONGEST_MS);
  }

  async killHost(): Promise<void> {
    const index = this.pick([0, 1]);
    const [worker, place] = [this.#workers[index], this.#places[index]];
    if (worker === undefined || place === undefined) throw new Error('there is no such host');
    const ended = once(worker.child, 'exit');
    worker.child.kill('SIGKILL');
    await ended;
    this.#workers[index] = await startWorker(place.url, place.name, { state: place.state });
  }

  async stopHost(): Promise<void> {
    const { child } = this.pick(this.#workers);
    child.kill('SIGSTOP');
    await this.while();
    child.kill('SIGCONT');
  }

  async cutNetwork(): Promise<void> {
    this.proxy.cut();
    await this.while();
    this.proxy.open();
  }

  async killRedis(): Promise<void> {
    await this.server.kill();
    await this.while();
    await this.server.start();
  }
}

/** One run, over all its sessions. */
class FaultyRun {
  readonly #machines: Machines;
  readonly #folder = temporaryFolder();
  /** Where each execution notes its begin and its end, at one place for all hosts. */
  readonly #notes = join(temporaryFolder(), 'notes');
  readonly #ids = Array.from({ length: WORKSTREAMS }, (_, index) => `ws-${index + 1}`);
  #session: Started;

  constructor(machines: Machines) {
    this.#machines = machines;
    const command = (id: string): string =>
      `echo begin ${id} $$ >> ${this.#notes}; sleep 0.4; echo end ${id} $$ >> ${this.#notes}`;
    writeFiles(
      this.#folder,
      Object.fromEntries(
        this.#ids.map((id) => [`workstreams/${id}.json`, { id, title: id, steps: [{ run: command(id) }] }]),
      ),
    );
    this.#session = this.#start();
    onTestFinished(() => {
      if (!this.#isOver) this.#session.killAll();
    });
  }

  get #isOver(): boolean {
    return this.#session.child.exitCode !== null || this.#session.child.signalCode !== null;
  }

  /** Resolves with false when it is over, and with true when something executes that the last fault has not met. */
  async isBusy(): Promise<boolean> {
    const known = this.#notesOf('begin').length;
    await expect.poll(() => this.#isOver || this.#notesOf('begin').length > known).toBe(true);
    return !this.#isOver;
  }

  /** Resolves with whether the fault was made, when what had begun before it has ended. */
  async suffer(kind: Kind): Promise<boolean> {
    const before = new Set(this.#notesOf('begin').map(({ id }) => id));
    if (kind === 'host-killed') await this.#machines.killHost();
    else if (kind === 'host-stopped') await this.#machines.stopHost();
    else if (kind === 'network-cut') await this.#machines.cutNetwork();
    else if (kind === 'redis-killed') await this.#machines.killRedis();
    else if (!(await this.#killRun())) return false;
    // Three lost hosts in a row would fail a workstream, as they should.
    const ended = (): Set<string> => new Set(this.#notesOf('end').map(({ id }) => id));
    await expect.poll(() => [...before].filter((id) => !ended().has(id))).toEqual([]);
    return true;
  }

  /** Resolves with the number of executions that began once more. */
  async check(made: readonly Kind[]): Promise<number> {
    const { code, stdout, stderr } = await this.#session.finished;
    expect(code, `${made.join(', ')}\n${stdout}\n${stderr}`).toBe(0);
    const rows = query<{ workstream_id: string; status: string; attempts: number }>(
      this.#folder,
      'SELECT workstream_id, status, attempts FROM agent_results ORDER BY workstream_id',
    );
    const expected = this.#ids
      .toSorted()
      .map((id) => ({ workstream_id: id, status: 'completed', attempts: 1 }));
    expect(rows).toEqual(expected);
    const begun = this.#notesOf('begin');
    const repeated = begun.length - new Set(begun.map(({ id }) => id)).size;
    const mayRepeat = made.filter((kind) => REPEATING.includes(kind)).length;
    expect(repeated, made.join(', ')).toBeLessThanOrEqual(mayRepeat);
    await expect.poll(() => begun.filter(({ pid }) => isLiving(pid))).toEqual([]);
    await expect.poll(() => this.#machines.server.client.keys('millrace:v1:n*')).toEqual([]);
    return repeated;
  }

  /** Resolves with false where the run was over. */
  async #killRun(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#session.killAll();
    const { signal } = await this.#session.finished;
    if (signal === null) return false;
    this.#session = this.#start('--resume');
    return true;
  }

  #start(...args: string[]): Started {
    const all = ['run', '--queue', this.#machines.server.url, '-j', '2', ...args];
    return startMillrace(this.#folder, all, { MILLRACE_QUEUE_KEY: QUEUE_KEY });
  }

  #notesOf(kind: 'begin' | 'end'): { id: string; pid: number }[] {
    if (!existsSync(this.#notes)) return [];
    const lines = readFileSync(this.#notes, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(kind));
    return lines.map((line) => {
      const [, id = '', pid] = line.split(' ');
      return { id, pid: Number(pid) };
    });
  }
}
