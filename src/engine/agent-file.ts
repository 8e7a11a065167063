import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the compiled file that a worker thread loads: `dist/workers/agent.js`, wherever below `dist` the
 * build put this code, and also when it runs as TypeScript, as in the tests, because Node 20 can't load TypeScript in
 * a thread.
 */
export function agentFile(): string {
  let folder = new URL('./', import.meta.url);
  for (;;) {
    for (const place of ['workers/agent.js', 'dist/workers/agent.js']) {
      const file = fileURLToPath(new URL(place, folder));
      if (existsSync(file)) return file;
    }
    const above = new URL('../', folder);
    if (above.href === folder.href) throw new Error('workers/agent.js is missing: build Millrace first');
    folder = above;
  }
}
