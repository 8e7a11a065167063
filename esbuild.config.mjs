/**
 * The second step of the build: what a process or a thread loads first becomes few files, because loading a module
 * takes longer than running it. `millrace --help` loads dist/src/unwatched.js, a run some
 * chunks beside dist/src/watched.js, a worker thread dist/workers/thread-agent.js. The library's own modules stay as tsc wrote them.
 */
import { rmSync } from 'node:fs';
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

/** zod's messages in sixty languages are more than half of it, and Millrace has its own. */
const zodSpeaksEnglish = {
  name: 'zod-speaks-english',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
};

// Chunks are named by what is in them: those of earlier builds would stay.
for (const folder of ['dist/src/chunks', 'dist/workers/chunks'])
  rmSync(folder, { recursive: true, force: true });

await build({
  ...common,
  entryPoints: ['src/watched.ts', 'src/unwatched.ts'],
  outdir: 'dist/src',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  // Native, or with files of their own; and what only the terminal of a person needs.
  external: ['better-sqlite3', 'piscina', 'esbuild', 'pino', '@inquirer/expand', 'log-update'],
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  plugins: [helpIsAscii, zodSpeaksEnglish],
});

/** Leaves the import of another entry where it is. */
const separate = (entry) => ({
  name: 'separate-entry',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^\\./${entry}\\.ts$`) }, () => ({
      path: `./${entry}.js`,
      external: true,
    }));
  },
});

// One small file: it starts before the run does, so that each millisecond of it is one of the run.
await build({
  ...common,
  entryPoints: ['src/start.ts'],
  outdir: 'dist/src',
  plugins: [separate('unwatched')],
});

// Readable for every Node that reads modules, so that one that is too old is told so.
await build({
  ...common,
  entryPoints: ['src/bin.ts'],
  outdir: 'dist/src',
  target: 'es2015',
  supported: { 'dynamic-import': true },
  plugins: [separate('start')],
});

await build({
  ...common,
  entryPoints: ['workers/thread-agent.ts', 'workers/process-agent.ts', 'workers/command-host.ts'],
  outdir: 'dist/workers',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  // Loaded by the few agents that need them.
  external: ['pino', 'fast-xml-parser', 'tap-parser', 'tinyglobby'],
});
