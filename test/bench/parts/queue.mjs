/** Work over a queue: two hosts of this machine against its own agents. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once as onceEvent } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CONTROL_VERSION } from '../../../dist/src/control/protocol.js';
import { calibrate } from '../calibrate.mjs';
import { base, folderOf, moduleStep, noOpFolder } from '../folders.mjs';
import { alternate, median, medianOf, millrace, ratios, valuesOf } from '../measure.mjs';

const bin = fileURLToPath(new URL('../../../dist/src/bin.js', import.meta.url));
const notesLoaded = fileURLToPath(new URL('../programs/notes-loaded.cjs', import.meta.url));
const LEASE_SECONDS = 5;

export default async function queue({ row, rounds, quick }) {
  notLoaded(row);
  const server = await Server.start();
  if (server === null) return row({ what: 'work over a queue: there is no redis-server', values: [] });
  try {
    await withHosts(server, 2, async () => noOps({ server, row, rounds, quick }));
    await withHosts(server, 1, async () => computing({ server, row, rounds, quick }));
    await withHosts(server, 1, async () => cancelling({ server, row, quick }));
    await arrival({ server, row, rounds: quick ? 3 : 5 });
    await takeover({ server, row, rounds: quick ? 1 : 3 });
  } finally {
    await server.stop();
  }
}

/** Without `--queue` nothing of it is loaded. */
function notLoaded(row) {
  const file = join(base, 'loaded.txt');
  writeFileSync(file, '');
  // Without kept code Node itself loads the bundles, so that it is seen which.
  const env = { LOADED: file, NODE_OPTIONS: `--require ${notesLoaded}`, NODE_DISABLE_COMPILE_CACHE: '1' };
  alternate({ run: millrace(noOpFolder(1), 1, { env }) }, 1, { warmUp: false });
  const loaded = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  row({
    what: 'libraries of the queue that a run without it loads',
    values: [loaded.length],
    digits: 0,
    target: '≤ 0',
  });
}

function noOps({ server, row, rounds, quick }) {
  const counts = quick ? [200, 1_000] : [1_000, 20_000];
  const before = server.usedMb();
  const each = counts.map((count) => {
    const cwd = noOpFolder(count);
    const runs = alternate({ queue: over(server, cwd, 4), local: millrace(cwd, 4) }, Math.min(rounds, 3));
    const ms = valuesOf(runs.queue).map((seconds) => (seconds / count) * 1_000);
    row({
      what: `${count.toLocaleString('en')} no-ops over two hosts of two agents, each`,
      values: ms,
      unit: ' ms',
      target: '≤ 3',
      of: `CPU time of the run itself ${((medianOf(runs.queue, 'cpu') / count) * 1_000).toFixed(2)} ms; on 4 agents of its own ${((medianOf(runs.local) / count) * 1_000).toFixed(2)} ms`,
    });
    return median(ms);
  });
  row({
    what: `a no-op among ${counts[1].toLocaleString('en')} / among ${counts[0].toLocaleString('en')}`,
    values: [each[1] / each[0]],
    target: '≤ 1',
  });
  row({
    what: 'memory of Redis after the acknowledgement of all of them, more than before',
    values: [server.usedMb() - before],
    unit: ' MB',
    target: '≤ 2',
  });
}

/** Few workstreams show what a start over a queue takes, many what each takes beyond that. */
function computing({ server, row, rounds, quick }) {
  const input = { rounds: calibrate(150) };
  const empty = noOpFolder(1);
  const empties = { emptyQueue: over(server, empty, 2), emptyLocal: millrace(empty, 2) };
  const compared = (count, times, options) => {
    const cwd = folderOf(`computing-${count}`, count, moduleStep('compute', input));
    const runs = alternate(
      { queue: over(server, cwd, 2), local: millrace(cwd, 2), ...empties },
      times,
      options,
    );
    row({
      what: `${count} CPU-bound workstreams of about 150 ms, two hosts of one agent / two agents`,
      values: ratios(runs.queue, runs.local),
      digits: 3,
      target: '≤ 1.10',
      of: `${medianOf(runs.queue).toFixed(2)} s against ${medianOf(runs.local).toFixed(2)} s`,
    });
    row({
      what: 'the same, an empty run taken off both',
      values: ratios(runs.queue, runs.local, { without: [runs.emptyQueue, runs.emptyLocal] }),
      digits: 3,
    });
    return runs;
  };
  const { emptyQueue, emptyLocal } = compared(20, rounds);
  row({
    what: 'an empty run over a queue, more than on agents of its own',
    values: emptyQueue.map(({ seconds }, index) => (seconds - emptyLocal[index].seconds) * 1_000),
    unit: ' ms',
    digits: 0,
    target: '≤ 250',
    of: `${medianOf(emptyQueue).toFixed(2)} s against ${medianOf(emptyLocal).toFixed(2)} s`,
  });
  if (!quick) compared(200, Math.min(rounds, 2), { warmUp: false });
}

/** From the command that starts a host to the first workstream of a run that has waited for one. */
async function arrival({ server, row, rounds }) {
  const cwd = folderOf('listening', 1, moduleStep('listens'));
  const took = [];
  for (let time = 0; time < rounds; time += 1) {
    const run = Run.start(cwd, queueArguments(server));
    await run.line('run-started');
    const begin = performance.now();
    const host = await startHost(server, 'one', 1);
    await run.line('workstream-begun');
    took.push(performance.now() - begin);
    run.child.kill('SIGINT');
    await run.ended;
    await stopHost(host);
  }
  row({
    what: 'from the start of a host to the first workstream of a run that waits for one',
    values: took,
    unit: ' ms',
    digits: 0,
    target: '≤ 1000',
  });
}

/** From the request on the run's socket to the event that says that the result is on the disk, by the run's clock. */
async function cancelling({ server, row, quick }) {
  const cwd = folderOf('listening', 1, moduleStep('listens'));
  const took = { queue: [], local: [] };
  for (let time = 0; time < (quick ? 3 : 9); time += 1) {
    took.queue.push(await stopped(Run.start(cwd, queueArguments(server))));
    took.local.push(await stopped(Run.start(cwd)));
  }
  row({
    what: 'stop of a workstream on a host that listens, until its result is there',
    values: took.queue,
    unit: ' ms',
    digits: 0,
    target: '≤ 50',
    of: `on an agent of its own ${median(took.local).toFixed(0)} ms`,
  });
}

async function stopped(run) {
  await run.line('workstream-progress');
  const asked = Date.now();
  run.stop('ws-1');
  const { time } = await run.line('workstream-finished');
  await run.ended;
  return time - asked;
}

async function takeover({ server, row, rounds }) {
  const cwd = folderOf('listening', 1, moduleStep('listens'));
  const took = [];
  for (let time = 0; time < rounds; time += 1) {
    await withHosts(server, 1, async (hosts) => {
      const run = Run.start(cwd, queueArguments(server));
      const first = await run.line('workstream-begun');
      const killed = performance.now();
      hosts.find(({ name }) => first.agent_id.startsWith(`${name}/`)).child.kill('SIGKILL');
      await run.line('workstream-begun');
      took.push((performance.now() - killed) / 1_000);
      run.child.kill('SIGINT');
      await run.ended;
    });
  }
  row({
    what: `what a killed host had begins on another, lease of ${LEASE_SECONDS} s`,
    values: took,
    unit: ' s',
    target: `≤ ${LEASE_SECONDS * 1.25}`,
  });
}

const queueArguments = ({ url, keyFile }) => ['--queue', url, '--queue-key-file', keyFile];

const over = (server, cwd, agents) => {
  const local = millrace(cwd, agents);
  return { ...local, args: [...local.args, ...queueArguments(server)] };
};

/** A run whose log is read as it is written. */
class Run {
  child;
  ended;
  #lines;
  /** The run makes the folder of its socket here. */
  #sockets = mkdtempSync(join(base, 'socket-'));

  static start(cwd, options = []) {
    const run = new Run();
    run.child = spawn(process.execPath, [bin, 'run', '-j', '1', '--log-level', 'debug', ...options], {
      cwd,
      env: { ...process.env, XDG_RUNTIME_DIR: run.#sockets },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    run.ended = onceEvent(run.child, 'exit');
    run.#lines = createInterface(run.child.stdout)[Symbol.asyncIterator]();
    return run;
  }

  /** Sends what `millrace stop` sends. */
  stop(id) {
    const [folder] = readdirSync(this.#sockets);
    const request = { version: CONTROL_VERSION, type: 'stop', workstreams: [id], by: 'the benchmark' };
    connect(join(this.#sockets, folder, 'control')).end(`${JSON.stringify(request)}\n`);
  }

  /** Resolves with the next line of an event. */
  async line(event) {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the run has ended before ${event}`);
      const line = JSON.parse(value);
      if (line.event === event) return line;
    }
  }
}

/** Calls back while two hosts of so many agents are there. */
async function withHosts(server, agents, use) {
  const hosts = await Promise.all(['one', 'two'].map((name) => startHost(server, name, agents)));
  try {
    await use(hosts);
  } finally {
    await Promise.all(hosts.map(stopHost));
    server.forgetHosts();
  }
}

async function startHost(server, name, agents) {
  const cwd = join(server.folder, name);
  mkdirSync(cwd, { recursive: true });
  const options = ['--name', name, '--agents', String(agents), '--lease-seconds', String(LEASE_SECONDS)];
  const child = spawn(process.execPath, [bin, 'worker', ...queueArguments(server), ...options], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = onceEvent(child, 'exit');
  await new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      if (JSON.parse(line).event === 'worker-started') resolve();
    });
    void ended.then(() => reject(new Error(`the worker ${name} has ended`)));
  });
  return { name, child, ended };
}

async function stopHost({ child, ended }) {
  child.kill('SIGTERM');
  await ended;
}

/** A Redis of this part alone. */
class Server {
  folder = join(base, 'queue');
  url = `unix://${join(this.folder, 'redis.sock')}`;
  keyFile = join(this.folder, 'key');
  #child;

  /** Null where none is installed. */
  static async start() {
    const server = new Server();
    mkdirSync(server.folder, { recursive: true });
    writeFileSync(server.keyFile, randomBytes(32).toString('hex'), { mode: 0o600 });
    const socket = join(server.folder, 'redis.sock');
    const args = ['--port', '0', '--unixsocket', socket, '--appendonly', 'yes', '--dir', server.folder];
    server.#child = spawn('redis-server', args, { stdio: 'ignore' });
    const isThere = await Promise.race([
      onceEvent(server.#child, 'spawn').then(() => true),
      onceEvent(server.#child, 'error').then(() => false),
    ]).catch(() => false);
    if (!isThere) return null;
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
    return server;
  }

  #ask(...command) {
    return execFileSync('redis-cli', ['-s', join(this.folder, 'redis.sock'), ...command], {
      encoding: 'utf8',
    });
  }

  usedMb() {
    return Number(/^used_memory:(\d+)/m.exec(this.#ask('info', 'memory'))[1]) / 1e6;
  }

  /** So that the next ones of their names need not wait whether they are still there. */
  forgetHosts() {
    this.#ask('del', 'millrace:v1:host:one', 'millrace:v1:host:two');
  }

  async stop() {
    const ended = onceEvent(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
