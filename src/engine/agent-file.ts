import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the compiled file that an agent's thread or process loads, in `dist/workers`, wherever below `dist`
 * the build put this code, and also when it runs as TypeScript, as in the tests, because Node 20 can't load that.
 */
export function agentFile(place: 'thread' | 'process'): string {
  const name = `${place}-agent.js`;
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
