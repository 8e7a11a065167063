/**
 * The second step of the build. The command line's definitions and yargs become one file, dist/src/bin.js, because
 * loading them as 150 modules takes longer than everything else that `millrace --help` does. What a command needs is
 * imported dynamically and stays where tsc put it.
 */
import { dirname, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const lazyImportsStayOutside = {
  name: 'lazy-imports-stay-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, kind, importer }) => {
      if (kind !== 'dynamic-import') return undefined;
      const target = relative(resolve('src'), resolve(dirname(importer), path));
      return { path: `./${target.replace(/\.ts$/, '.js')}`, external: true };
    });
  },
};

await build({
  entryPoints: ['src/bin.ts'],
  outfile: 'dist/src/bin.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  legalComments: 'linked',
  external: ['jsonc-parser'],
  alias: { 'string-width': './src/cli/ascii-width.ts' },
  plugins: [lazyImportsStayOutside],
  logLevel: 'warning',
});
