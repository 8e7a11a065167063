/**
 * The second step of the build: what a process or a thread loads becomes few files, because loading a module takes longer
 * than running it. Node loads a small entry, such as dist/src/start.cjs, and that loads bundles with the code which V8
 * has compiled for them before (src/os/code-cache.ts). The library's own modules stay as tsc wrote them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { build } from 'esbuild';

/** Layout of help needs no tables of wide characters, and they take half of its time; the live view has them. */
const helpIsAscii = {
  name: 'help-is-ascii',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      /node_modules\/(cliui|yargs|wrap-ansi)\//.test(importer)
        ? resolve('./src/cli/ascii-width.ts', { kind: 'import-statement', resolveDir: process.cwd() })
        : undefined,
    );
  },
};

/**
 * zod's messages in sixty languages are more than half of it, and Millrace has its own. zod would also compile a function
 * for each schema of an object; a process that reads few objects of each kind has no use for it.
 */
const zodWithinNeed = {
  name: 'zod-within-need',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
    onLoad({ filter: /\/zod\/v4\/core\/core\.js$/ }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\nconfig({ jitless: true });`,
    }));
  },
};

/** string-width takes 40 ms to load, for a segmenter and for sets of emoji, and most runs have no text that needs it. */
const widthOnDemand = {
  name: 'width-on-demand',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^string-width$/ }, ({ path, importer }) =>
      /\/src\/text\/columns\.ts$|\/node_modules\/cli-truncate\//.test(importer)
        ? { path, namespace: 'on-demand' }
        : undefined,
    );
    onLoad({ filter: /^/, namespace: 'on-demand' }, ({ path }) => ({
      contents: `let width; export default (...args) => (width ??= require("${path}").default)(...args);`,
      resolveDir: process.cwd(),
    }));
  },
};

/** What stays a file of its own beside the one that imports it. */
const ownFile = {
  name: 'own-file',
  setup({ onResolve }) {
    onResolve({ filter: /\/(start|unwatched|import-module)\.ts$/ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: `./${basename(path, '.ts')}.cjs`, external: true },
    );
  },
};

const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
};

// Small entries, of which no more is loaded than is needed.
const entries = { ...common, plugins: [ownFile], outExtension: { '.js': '.cjs' }, entryNames: '[name]' };
await build({
  ...entries,
  entryPoints: ['src/start.ts', 'src/watched.ts', 'src/unwatched.ts'],
  outdir: 'dist/src',
});
await build({
  ...entries,
  entryPoints: [
    'workers/thread-entry.ts',
    'workers/process-entry.ts',
    'workers/command-host.ts',
    'workers/network-gateway.ts',
    'workers/modules/import-module.ts',
    'workers/modules/typescript.ts',
  ],
  outdir: 'dist/workers',
});
// Node's thread for hooks would take 20 ms longer to load it as CommonJS.
await build({
  ...common,
  entryPoints: ['workers/modules/typescript-hooks.ts'],
  outfile: 'dist/workers/typescript-hooks.mjs',
  format: 'esm',
  define: {},
  banner: {},
  minify: true,
  sourcemap: false,
});
// Readable for every Node that reads modules, so that one that is too old is told so.
await build({
  bundle: true,
  entryPoints: ['src/bin.ts'],
  outdir: 'dist/src',
  platform: 'node',
  format: 'esm',
  target: 'es2015',
  supported: { 'dynamic-import': true },
  sourcemap: true,
  logLevel: 'warning',
  plugins: [ownFile],
});

/**
 * Bundles that share their modules, so that none is evaluated twice: each has the modules that its entries need and no
 * bundle before it has. `millrace --help` loads the first one alone. A module of a later bundle is imported with `import()`.
 */
async function buildBundles(folder, bundles, options) {
  /** By path of a module: the bundle that has it. */
  const homes = new Map();
  for (const bundle of bundles) for (const entry of bundle.entries) homes.set(entry, bundle);
  const buildOne = (bundle, write) =>
    build({
      ...common,
      ...options,
      plugins: [...options.plugins, elsewhere(homes, bundle)],
      external: [...options.external, './*.bundle.cjs'],
      // What is bundled is imported at once, and what is not is CommonJS.
      supported: { 'dynamic-import': false },
      stdin: {
        contents: entryOf(bundle),
        resolveDir: process.cwd(),
        sourcefile: `${bundle.name}.bundle.cjs`,
      },
      outfile: `${folder}/${bundle.name}.bundle.cjs`,
      metafile: true,
      write,
    });
  for (const bundle of bundles) {
    const { metafile } = await buildOne(bundle, false);
    for (const path of Object.keys(metafile.inputs)) if (!homes.has(path)) homes.set(path, bundle);
  }
  // Again, as each is known now to export what the others need of it.
  for (const bundle of bundles) {
    await buildOne(bundle, true);
    escapeNonAscii(`${folder}/${bundle.name}.bundle.cjs`);
  }
}

/** Exports a function for each module, which evaluates it once. */
const entryOf = ({ entries }) =>
  [...entries]
    .map((path) => `exports[${JSON.stringify(path)}] = () => require(${JSON.stringify(`./${path}`)});`)
    .join('\n');

/** Lets a bundle import modules of others from these. */
const elsewhere = (homes, bundle) => ({
  name: 'elsewhere',
  setup({ onResolve, onLoad, resolve }) {
    // The largest of the packages, and imported by name alone: a default export would not be found there.
    onResolve({ filter: /^\.|^zod$/ }, async ({ path, pluginData, ...from }) => {
      const isOwn = /^(src|workers)\//.test(relative(process.cwd(), from.importer));
      if (pluginData === 'resolving' || !isOwn) return undefined;
      const found = await resolve(path, { ...from, pluginData: 'resolving' });
      const module = relative(process.cwd(), found.path);
      const home = found.external ? undefined : homes.get(module);
      if (home === undefined || home === bundle) return undefined;
      home.entries.add(module);
      return { path: module, namespace: 'elsewhere' };
    });
    onLoad({ filter: /^/, namespace: 'elsewhere' }, ({ path }) => ({
      contents: `module.exports = require("./${homes.get(path).name}.bundle.cjs")[${JSON.stringify(path)}]();`,
    }));
  },
});

/**
 * Bundles are read as Latin 1, which is four times as fast as UTF-8. esbuild escapes what is not ASCII in strings; this
 * does in regular expressions and in comments.
 */
function escapeNonAscii(file) {
  const text = readFileSync(file, 'utf8');
  const escaped = text.replaceAll(
    /[^\0-\x7F]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (escaped !== text) writeFileSync(file, escaped);
}

const actions = readdirSync('src/cli/actions', { encoding: 'utf8', recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/cli/actions/${name}`);
const running = ['src/cli/actions/run.ts', 'src/cli/actions/tune.ts'];
/** With the client of GitHub's API, which takes its time to load. */
const publishing = [
  ...['sync', 'pr', 'feedback'].map((name) => `src/cli/actions/${name}.ts`),
  'src/app/github/import-issues.ts',
];
/** With the server of pages. */
const serving = ['src/cli/actions/dashboard.ts'];
/** With the clients of Redis, which take their time to load. */
const queued = [
  'src/cli/actions/worker.ts',
  'src/cli/actions/workers.ts',
  'src/engine/queue/coordinator/queue-run.ts',
  'src/engine/queue/foresee-travel.ts',
];
/** What BullMQ and its libraries only try to load: native code, clients of other servers than Redis. */
const queueExtras = ['msgpackr-extract', 'pg', '@valkey/valkey-glide'];
const later = [...running, ...publishing, ...serving, ...queued];
/**
 * What only some commands import: to read a configuration file, to tell an error, or what both a run and its dashboard
 * need, as a dashboard is not to load all that a run does.
 */
const sometimes = [
  'src/app/refusal.ts',
  'src/dashboard/beside.ts',
  'src/dashboard/child.ts',
  'src/dashboard/token.ts',
  'src/domain/project.ts',
  'src/os/end-signals.ts',
  'src/secrets/find-secrets.ts',
  'src/workstream/locate.ts',
  'src/workstream/parse.ts',
  'src/workstream/read-file.ts',
  'src/workstream/size-limits.ts',
];
await buildBundles(
  'dist/src',
  [
    { name: 'cli', entries: new Set(['src/millrace.ts', 'src/cli/cli.ts']) },
    {
      name: 'store',
      entries: new Set([...actions.filter((path) => !later.includes(path)), ...sometimes]),
    },
    { name: 'run', entries: new Set(running) },
    { name: 'github', entries: new Set(publishing) },
    { name: 'queue', entries: new Set(queued) },
    { name: 'dashboard', entries: new Set(serving) },
  ],
  {
    // Native, or with files of their own.
    external: ['better-sqlite3', 'piscina', 'esbuild', ...queueExtras],
    // Modules in place of CommonJS: esbuild leaves out what is not used of them.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js', bullmq: 'bullmq/dist/esm/index.js' },
    plugins: [helpIsAscii, zodWithinNeed, widthOnDemand],
  },
);
await buildBundles(
  'dist/workers',
  [{ name: 'agents', entries: new Set(['workers/thread-agent.ts', 'workers/process-agent.ts']) }],
  // Loaded by the few agents that need them.
  { external: ['pino', 'fast-xml-parser', 'tap-parser', 'tinyglobby'], plugins: [ownFile] },
);

// The page of a run: its script and its style, which become parts of an HTML file. The dashboard has more, as files that its
// server hands out.
await build({
  bundle: true,
  entryPoints: { page: 'src/web/main.tsx', dashboard: 'src/web/dashboard/main.tsx' },
  outdir: 'dist/web',
  platform: 'browser',
  format: 'iife',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
});
