import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the compiled file that a thread or process loads first, in `dist/workers`, wherever below `dist` the
 * build put this code, and also when it runs as TypeScript, as in the tests, because Node 20 can't load that.
 */
export function entryFile(entry: 'thread-entry' | 'process-entry' | 'command-host'): string {
  const name = `${entry}.cjs`;
  let folder = new URL('./', import.meta.url);
  for (;;) {
    for (const place of [`workers/${name}`, `dist/workers/${name}`]) {
      const file = fileURLToPath(new URL(place, folder));
      if (existsSync(file)) return file;
    }
    const above = new URL('../', folder);
    if (above.href === folder.href) throw new Error(`workers/${name} is missing: build Millrace first`);
    folder = above;
  }
}
