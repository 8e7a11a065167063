import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { folderProblem } from '../../os/folder.ts';
import type { InitArguments } from '../commands/init.ts';
import { print } from '../standard-output.ts';
import { UsageError } from '../usage-error.ts';

const WORKSTREAMS = `[
  {
    // A module step: a function that runs in a worker thread.
    "id": "ws-primes",
    "title": "Count primes",
    "steps": [{ "module": "./tasks/primes.mjs", "input": { "limit": 2000000 } }]
  },
  {
    // A run step: a shell command, started when ws-primes has completed.
    "id": "ws-files",
    "title": "Count files",
    "depends_on": ["ws-primes"],
    "steps": [{ "run": "find . -type f -not -path '*/node_modules/*' | wc -l" }],
    "acceptance_tests": [{ "run": "test -d ." }]
  }
]
`;

/** Definitions are sources, which others may read. */
const READABLE = 0o777;

const MODULE = `/** Counts the primes up to \`limit\` with the sieve of Eratosthenes. */
export default function primes({ limit }, context) {
  const composite = new Uint8Array(limit + 1);
  let count = 0;
  for (let n = 2; n <= limit; n += 1) {
    if (composite[n] === 1) continue;
    count += 1;
    for (let multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
    context.progress(n / limit, \`\${count} primes\`);
  }
  return { output: { primes: count } };
}
`;

/** Makes a folder with two workstreams; never overwrites a file. */
export async function init(argv: InitArguments): Promise<number> {
  const folder = resolve(argv.workstreams);
  const files = [
    [join(folder, 'ws-first.json'), WORKSTREAMS],
    [join(folder, 'tasks', 'primes.mjs'), MODULE],
  ] as const;
  const taken = files.find(([path]) => existsSync(path));
  if (taken !== undefined) throw new Refusal(2, `${taken[0]} is there already; nothing was written.`);
  const problem = folderProblem(join(folder, 'tasks'));
  if (problem !== null) throw new UsageError(`--workstreams: ${problem}.`);
  makeFolder(join(folder, 'tasks'), READABLE);
  for (const [path, text] of files) writeFileSync(path, text);
  const made = files.map(([path]) => `  ${path}`).join('\n');
  await print(
    `Made\n${made}\nRun them with: millrace${argv.workstreams === 'workstreams' ? '' : ` run --workstreams ${argv.workstreams}`}`,
  );
  return 0;
}
