/** The entry of a process that executes one assignment and ends. */
import { Bundles } from '../src/os/code-cache.ts';

const bundles = new Bundles('process');
bundles.load(new URL('./agents.bundle.cjs', import.meta.url), 'workers/process-agent.ts');
process.once('exit', (exitCode) => {
  if (exitCode === 0) bundles.keepCode();
});
