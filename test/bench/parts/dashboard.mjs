import { spawn } from 'node:child_process';
import { once as happened } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { browserPath, launchBrowser } from '../../kit/browser.mjs';
import { folderOf } from '../folders.mjs';
import { median, millrace, millraceDoes } from '../measure.mjs';

const TOKEN = 'a-token-of-the-benchmark-0123456789';
const TICKS = 100;

/** Tabs of one browser, which share their connections. */
const TABS = 50;

/** Commands of a run whose CPU time is compared with that of one that nobody watches. */
const COMPARED = 2_000;
/** Fewer pairs say nothing about a hundredth: the CPU time of a run is up to a tenth more or less than that of another. */
const LEAST_PAIRS = 24;

/**
 * What a dashboard takes, and how soon it tells, while clients follow a run of 10,000 commands to its end; and what the run
 * itself takes more, by pairs of shorter ones that are watched and alone in turn. `--quick` follows runs of 2,000, in which
 * the start of the first client is a large part, and has no tabs of a browser. Takes twelve minutes.
 */
export default async function dashboard({ row, rounds, quick }) {
  const count = quick ? 2_000 : 10_000;
  const cwd = folderOf(`dashboard-${count}`, count, { run: 'true' });
  for (const clients of [1, 50]) {
    const runs = [];
    for (let round = 0; round < rounds; round += 1) runs.push(await watched(cwd, connections(clients)));
    const of = (field) => runs.map((run) => run[field]);
    const what = `a dashboard with ${clients} of ${count} commands:`;
    row({ what: `${what} share of a core`, values: of('share'), unit: ' %', target: '≤ 2 %' });
    row({ what: '– the same, but for its first second', values: of('later'), unit: ' %' });
    row({ what: '– memory at the end', values: of('resident'), unit: ' MB', digits: 0, target: '≤ 80 MB' });
    row({ what: '– memory at most', values: of('peak'), unit: ' MB', digits: 0, target: '≤ 80 MB' });
    row({ what: '– end of a workstream → event, median', values: of('middle'), unit: ' ms', digits: 0 });
    row({ what: '– the same, worst', values: of('worst'), unit: ' ms', digits: 0, target: '≤ 250 ms' });
  }
  if (!quick && browserPath() !== null) await watchInTabs(row, cwd, { count, rounds });
  await compare(row, Math.max(rounds, LEAST_PAIRS));
}

/** The browser takes most of the machine, so that the run lasts longer. */
async function watchInTabs(row, cwd, { count, rounds }) {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await watched(cwd, tabs));
  const of = (field) => runs.map((run) => run[field]);
  const what = `a dashboard in ${TABS} tabs of a browser, of ${count} commands:`;
  row({ what: `${what} share of a core`, values: of('share'), unit: ' %', target: '≤ 2 %' });
  row({ what: '– CPU time', values: of('seconds'), unit: ' s' });
  row({ what: '– memory at the end', values: of('resident'), unit: ' MB', digits: 0, target: '≤ 80 MB' });
}

/** CPU time of runs that are watched, and of others that are alone. */
async function compare(row, pairs) {
  const cwd = folderOf(`dashboard-${COMPARED}`, COMPARED, { run: 'true' });
  const runs = { 1: [], 50: [], none: [] };
  for (let round = 0; round < pairs; round += 1) {
    // In turn, so that none is always the first.
    const inTurn = [1, 50].map(
      (clients) => async () => runs[clients].push(await watched(cwd, connections(clients))),
    );
    inTurn.splice(round % 3, 0, async () => runs.none.push(await alone(cwd)));
    for (const measure of inTurn) await measure();
  }
  for (const clients of [1, 50]) {
    row({
      what: `CPU of a run of ${COMPARED}, watched by ${clients} / alone, ${pairs} pairs`,
      values: runs[clients].map(({ runCpu }, index) => runCpu / runs.none[index].runCpu),
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

/** @param watch lets clients follow a run of a dashboard, and returns how soon they were told, and what ends them. */
async function watched(cwd, watch) {
  forget(cwd);
  const { args } = millraceDoes(cwd, 'dashboard', '--port', '0');
  const env = { ...process.env, MILLRACE_DASHBOARD_TOKEN: TOKEN };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await happened(child.stdout.setEncoding('utf8'), 'data');
    const [, origin, port] = /(http:\S+:(\d+))\//.exec(line);
    const from = performance.now();
    const before = takenBy(child.pid).cpu;
    const run = cpuOfRun(startRun(cwd));
    const runId = await newestRun(port);
    const { delays, close } = await watch({ origin, port, runId });
    await wait(1_000);
    const begun = performance.now();
    const first = takenBy(child.pid).cpu;
    const runCpu = await run;
    const end = performance.now();
    const { cpu, resident, peak } = takenBy(child.pid);
    await close();
    const shareOf = (seconds, since) => (seconds / ((end - since) / 1000)) * 100;
    return {
      runCpu,
      seconds: cpu - before,
      share: shareOf(cpu - before, from),
      later: shareOf(cpu - first, begun),
      resident,
      peak,
      middle: median(delays),
      worst: delays.reduce((most, each) => Math.max(most, each), 0),
    };
  } finally {
    child.kill('SIGTERM');
    await happened(child, 'exit');
  }
}

/** So many connections, each of which follows the run; of the first it is noted how soon it is told. */
const connections =
  (clients) =>
  async ({ port, runId }) => {
    const delays = [];
    for (let index = 0; index < clients; index += 1) {
      const stream = await asked(port, `/api/runs/${runId}/events?after=0.0.0`);
      if (index === 0) follow(stream, delays);
      else stream.resume();
    }
    return { delays, close: async () => {} };
  };

async function tabs({ origin, runId }) {
  const browser = await launchBrowser();
  const context = await browser.newContext();
  // The first one signs in for all.
  await openTab(context, `${origin}/#token=${TOKEN}`);
  await Promise.all(Array.from({ length: TABS - 1 }, () => openTab(context, `${origin}/#/run/${runId}`)));
  await context.pages()[0].goto(`${origin}/#/run/${runId}`);
  return { delays: [], close: () => browser.close() };
}

async function openTab(context, address) {
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForSelector('h1', { timeout: 120_000 });
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

/** Notes how long ago each workstream of a message had ended, but for what is sent again at first. */
function follow(stream, delays) {
  let rest = '';
  let isFirst = true;
  stream.on('data', (part) => {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks.filter((each) => each.includes('event: rows\n'))) {
      const ends = [...block.matchAll(/"end":"([^"]+)"/g)].map(([, end]) => Date.parse(end));
      if (!isFirst) delays.push(...ends.map((end) => Date.now() - end));
      isFirst = false;
    }
  });
}
