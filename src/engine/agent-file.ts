import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the compiled file that a worker thread loads. Node 20 can't load TypeScript in a thread, so when
 * this file itself runs as TypeScript (in the tests) the build's output is used.
 */
export function agentFile(): string {
  const place = import.meta.url.endsWith('.ts') ? '../../dist/workers/agent.js' : '../../workers/agent.js';
  return fileURLToPath(new URL(place, import.meta.url));
}
