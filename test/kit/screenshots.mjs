/**
 * `npm run screenshots` makes the pictures in docs/images: real runs, whose pages are opened in a real browser. Tools are
 * stand-ins that do in a second what the task says.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launchBrowser } from './browser.mjs';

const bin = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));
const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'millrace-screenshots-'));
process.once('exit', () => rmSync(base, { recursive: true, force: true }));

const WORDS = 'parse index fetch encode resize merge lint bundle verify publish import export'.split(' ');
const THINGS = 'orders users images invoices'.split(' ');

/** Computes or waits for about `seconds`, and returns how much it did. */
const WORK = `export default async function ({ seconds = 0.2, fail }) {
  if (fail) throw new Error(fail);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  return { output: { rows: Math.round(seconds * 4000) } };
}
`;

/** Loses less with a smaller step, up to a point. */
const TRAIN = `export default async function ({ rate, size }, context) {
  let loss = 4;
  for (let step = 1; step <= 40; step += 1) {
    loss = loss * (1 - Math.min(0.2, rate * 8)) + 0.2 + 3 / size;
    context.metric?.('loss', loss, step);
  }
  await new Promise((done) => setTimeout(done, size));
  if (rate > 0.09) throw new RangeError('loss is no number after step 7');
  return { output: { loss, accuracy: 1 - loss / 12 } };
}
`;

/** A tool that writes the file which its task names, one that only says so, and one that writes what no test accepts. */
const TOOL = `import { readFileSync, writeFileSync } from 'node:fs';
const prompt = readFileSync(0, 'utf8');
const [, name] = /WRITE (\\S+)/.exec(prompt) ?? [];
const [, lazy] = /CLAIM (\\S+)/.exec(prompt) ?? [];
if (name) writeFileSync(name, Array.from({ length: 40 }, (_, i) => \`export const value\${i} = \${i};\`).join('\\n') + '\\n');
console.log(\`All done: I implemented \${name ?? lazy} and every test passes.\`);
`;

function folder(name, files) {
  const place = join(base, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return place;
}

/** Runs a folder, and returns the path of its page. */
function pageOf(cwd, ...args) {
  const { status, stderr } = spawnSync(process.execPath, [bin, 'run', '-j', '4', ...args], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 1) throw new Error(`the run in ${cwd} ended with ${status}: ${stderr}`);
  const pages = readdirSync(join(cwd, 'reports')).filter((file) => file.endsWith('.html'));
  return join(cwd, 'reports', pages.toSorted().at(-1));
}

/** Jobs that need each other, of which those fail that `fail` has a message for. */
function jobs(fail) {
  return THINGS.flatMap((thing, column) =>
    WORDS.slice(0, 7).map((word, index) => ({
      id: `ws-${thing}-${word}`,
      title: `${word[0].toUpperCase()}${word.slice(1)} the ${thing}`,
      kind: word,
      ...(index > 0 && index % 3 === 0 ? { depends_on: [`ws-${thing}-${WORDS[index - 1]}`] } : {}),
      steps: [
        {
          module: './work.mjs',
          input: { seconds: 0.1 + ((index * 7 + column * 3) % 11) / 20, fail: fail(thing, word) },
        },
      ],
    })),
  );
}

const jobFolder = (name, fail) =>
  folder(name, { 'workstreams/work.mjs': WORK, 'workstreams/jobs.json': jobs(fail) });

function green() {
  return pageOf(jobFolder('green', () => undefined));
}

function broken() {
  const place = jobFolder('broken', () => undefined);
  pageOf(place);
  const fail = (thing, word) =>
    word === 'fetch'
      ? `connect ECONNREFUSED 10.0.0.${THINGS.indexOf(thing) + 4}:5432`
      : thing === 'images' && word === 'resize'
        ? 'Input buffer contains unsupported image format'
        : undefined;
  folder('broken', { 'workstreams/jobs.json': jobs(fail) });
  return pageOf(place);
}

function backlog() {
  const tasks = [
    ['parser', 'WRITE parser.mjs', 'true'],
    ['tokens', 'WRITE tokens.mjs', 'true'],
    ['printer', 'WRITE printer.mjs', 'echo "expected 3 spaces, found 2" >&2; exit 1'],
    ['cache', 'CLAIM cache.mjs', null],
    ['config', 'WRITE config.mjs', 'true'],
    ['watcher', 'WRITE watcher.mjs', 'true'],
  ];
  const place = folder('backlog', {
    'tool.mjs': TOOL,
    'millrace.config.json': {
      tools: { scribe: { command: [process.execPath, join(base, 'backlog', 'tool.mjs')] } },
    },
    'workstreams/tasks.json': tasks.map(([name, task, check]) => ({
      id: `ws-${name}`,
      title: `Write the ${name}`,
      tool: 'scribe',
      tasks: [task],
      ...(check === null ? {} : { acceptance_tests: [{ run: check, name: `${name} tests` }] }),
    })),
  });
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=ann', '-c', 'user.email=ann@example.org', ...args], {
      cwd: place,
      stdio: 'pipe',
    });
  writeFileSync(join(place, '.gitignore'), '.state\nreports\n');
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'Begin');
  return pageOf(place);
}

function sweep() {
  return pageOf(
    folder('sweep', {
      'workstreams/train.mjs': TRAIN,
      'workstreams/train.json': {
        id: 'train',
        title: 'Train with rate ${{ matrix.rate }} and size ${{ matrix.size }}',
        matrix: { rate: [0.001, 0.003, 0.01, 0.03, 0.1], size: [32, 64, 128, 256] },
        steps: [{ module: './train.mjs', input: { rate: '${{ matrix.rate }}', size: '${{ matrix.size }}' } }],
      },
    }),
  );
}

/** Each with the part of the page that it shows; null for its beginning. */
const PICTURES = {
  green: [green, null],
  broken: [broken, null],
  backlog: [backlog, null],
  sweep: [sweep, 'Results'],
};

/** Five runs before, and one that goes on while it is looked at. */
async function dashboard(browser) {
  const fail = (thing, word) =>
    word === 'fetch' && thing === 'images' ? 'connect ECONNREFUSED 10.0.0.4:5432' : undefined;
  const cwd = jobFolder('dashboard', fail);
  for (let run = 0; run < 5; run += 1) pageOf(cwd, '--label', 'nightly');
  const long = jobs(fail).map((job) => ({
    ...job,
    steps: job.steps.map((step) => ({ ...step, input: { ...step.input, seconds: step.input.seconds * 8 } })),
  }));
  folder('dashboard', { 'workstreams/jobs.json': long });
  const started = ['run -j 4 --label nightly', 'dashboard --port 0'].map((args) =>
    spawn(process.execPath, [bin, ...args.split(' ')], { cwd, stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  try {
    const [run, server] = started;
    run.stdout.resume();
    const address = await new Promise((resolve) => {
      server.stdout.setEncoding('utf8').on('data', (text) => {
        const found = /http:\S+/.exec(text);
        if (found !== null) resolve(found[0]);
      });
    });
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
    await tab.goto(address);
    await tab.getByRole('heading', { level: 1, name: 'under way' }).waitFor();
    await tab.locator('.runcard').first().click();
    await tab.getByRole('heading', { level: 1, name: / 9 of|1\d of/ }).waitFor();
    await tab.screenshot({ path: join(images, 'dashboard-live.png') });
    await tab.getByRole('link', { name: 'Runs' }).first().click();
    await tab.getByRole('heading', { level: 1, name: 'under way' }).waitFor();
    await tab.screenshot({ path: join(images, 'dashboard-runs.png') });
    await tab.close();
  } finally {
    for (const each of started) each.kill();
    await Promise.all(started.map((each) => once(each, 'exit')));
  }
}

mkdirSync(images, { recursive: true });
const browser = await launchBrowser();
try {
  await dashboard(browser);
  for (const [name, [make, part]] of Object.entries(PICTURES)) {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
    await tab.goto(pathToFileURL(make()).href);
    await tab.getByRole('heading', { level: 1 }).waitFor();
    if (part !== null) await tab.getByRole('link', { name: part }).first().click();
    await tab.screenshot({ path: join(images, `page-${name}.png`) });
    await tab.close();
    console.log(`docs/images/page-${name}.png`);
  }
} finally {
  await browser.close();
}
