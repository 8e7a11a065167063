import { spawn } from 'node:child_process';
import { once as happened } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { folderOf } from '../folders.mjs';
import { median, millrace, millraceDoes } from '../measure.mjs';

const TOKEN = 'a-token-of-the-benchmark-0123456789';
const TICKS = 100;

/** What a dashboard takes, and how soon it tells, while clients follow a run of commands. */
export default async function dashboard({ row, rounds, quick }) {
  const count = quick ? 2_000 : 10_000;
  const pairs = quick ? rounds : Math.max(rounds, 5);
  const cwd = folderOf(`dashboard-${count}`, count, { run: 'true' });
  const runs = { 1: [], 50: [], none: [] };
  for (let round = 0; round < pairs; round += 1) {
    // Watched and alone in turn, so that neither is always the first.
    const inTurn = [1, 50].map((clients) => async () => runs[clients].push(await watched(cwd, clients)));
    inTurn.splice(round % 2 === 0 ? 0 : 2, 0, async () => runs.none.push(await alone(cwd)));
    for (const measure of inTurn) await measure();
  }
  for (const clients of [1, 50]) {
    const of = (field) => runs[clients].map((run) => run[field]);
    const what = `a dashboard with ${clients} of ${count} commands:`;
    row({ what: `${what} share of a core`, values: of('share'), unit: ' %', target: '≤ 2 %' });
    row({ what: '– memory at the end', values: of('resident'), unit: ' MB', digits: 0, target: '≤ 80 MB' });
    row({ what: '– memory at most', values: of('peak'), unit: ' MB', digits: 0 });
    row({ what: '– end of a workstream → event, median', values: of('middle'), unit: ' ms', digits: 0 });
    row({ what: '– the same, worst', values: of('worst'), unit: ' ms', digits: 0, target: '≤ 250 ms' });
  }
  for (const clients of [1, 50]) {
    const ratios = runs[clients].map(({ runCpu }, index) => runCpu / runs.none[index].runCpu);
    row({
      what: `CPU of the run, watched by ${clients} / alone, ${pairs} pairs`,
      values: ratios,
      digits: 3,
      target: '≤ 1.01',
    });
  }
}

/** A run that nobody watches. */
async function alone(cwd) {
  forget(cwd);
  return { runCpu: await cpuOfRun(startRun(cwd)) };
}

async function watched(cwd, clients) {
  forget(cwd);
  const { args } = millraceDoes(cwd, 'dashboard', '--port', '0');
  const env = { ...process.env, MILLRACE_DASHBOARD_TOKEN: TOKEN };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await happened(child.stdout.setEncoding('utf8'), 'data');
    const [, port] = /:(\d+)\//.exec(line);
    const from = performance.now();
    const before = takenBy(child.pid).cpu;
    const run = cpuOfRun(startRun(cwd));
    const runId = await newestRun(port);
    const delays = [];
    const path = `/api/runs/${runId}/events?after=0.0.0`;
    for (let index = 0; index < clients; index += 1) {
      const stream = await asked(port, path);
      if (index === 0) follow(stream, delays);
      else stream.resume();
    }
    const runCpu = await run;
    const { cpu, resident, peak } = takenBy(child.pid);
    const share = ((cpu - before) / ((performance.now() - from) / 1000)) * 100;
    return { runCpu, share, resident, peak, middle: median(delays), worst: Math.max(...delays) };
  } finally {
    child.kill('SIGTERM');
    await happened(child, 'exit');
  }
}

const forget = (cwd) => {
  for (const name of ['.state', 'reports']) rmSync(join(cwd, name), { recursive: true, force: true });
};

const startRun = (cwd) =>
  spawn(
    'bash',
    ['-c', '"$@" >&2; code=$?; times; exit $code', 'bash', process.execPath, ...millrace(cwd, 2).args],
    {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );

/** CPU seconds of a run with all that it started, as its shell tells them. */
async function cpuOfRun(run) {
  let text = '';
  run.stdout.setEncoding('utf8').on('data', (part) => (text += part));
  await happened(run, 'close');
  if (run.exitCode !== 0) throw new Error(`the run ended with ${run.exitCode}`);
  const [, children = ''] = text.trim().split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
    0,
  );
}

function takenBy(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
    resident: megabytes('VmRSS'),
    peak: megabytes('VmHWM'),
  };
}

async function asked(port, path) {
  const sent = request({ port, path, headers: { authorization: `Bearer ${TOKEN}` } }).end();
  const [response] = await happened(sent, 'response');
  // It ends when the dashboard does.
  response.on('error', () => {});
  return response.setEncoding('utf8');
}

async function newestRun(port) {
  for (;;) {
    let text = '';
    for await (const part of await asked(port, '/api/runs?limit=1')) text += part;
    const [run] = JSON.parse(text).runs;
    if (run !== undefined) return run.runId;
    await wait(50);
  }
}

/** Notes how long ago the newest workstream of each message had ended, but for what is sent again at first. */
function follow(stream, delays) {
  let rest = '';
  let isFirst = true;
  stream.on('data', (part) => {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks.filter((each) => each.includes('event: rows\n'))) {
      const ends = [...block.matchAll(/"end":"([^"]+)"/g)].map(([, end]) => Date.parse(end));
      if (!isFirst && ends.length > 0) delays.push(Date.now() - Math.max(...ends));
      isFirst = false;
    }
  });
}
