import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseOptions } from '../../app/options.ts';
import { makeFolder, resolvePaths } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { folderProblem } from '../../os/folder.ts';
import { plural, shownPath } from '../../text/format.ts';
import type { InitArguments } from '../commands/init.ts';
import { readProject } from '../config.ts';
import { notify, printText, table } from '../print.ts';
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

/** Makes a folder with two workstreams, or one with those of issues; never overwrites a file. */
export async function init(argv: InitArguments): Promise<number> {
  if (argv.fromIssues !== undefined) return fromIssues(argv, argv.fromIssues);
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

/** Exit code 1 where one failed. @throws UsageError, Refusal */
async function fromIssues(argv: InitArguments, query: string): Promise<number> {
  const { tool, workstreams, remote = null, repository = null } = argv;
  if (tool === undefined)
    throw new UsageError('--from-issues: name the coding agent that is to do them, such as --tool claude.');
  // The client of GitHub's API takes its time to load.
  const { importIssues } = await import('../../app/github/import-issues.ts');
  const project = await readProject(process.cwd());
  const { options } = parseOptions({ project, workstreams });
  const wanted = { query, tool, remote, repository, notify };
  const made = await importIssues(options, resolvePaths(options), wanted);
  const rows = made.map(({ number, title, action, file, detail }) => [
    `#${number}`,
    action,
    file === null ? null : shownPath(process.cwd(), file),
    detail ?? title,
  ]);
  const count = made.filter(({ action }) => action === 'made').length;
  await printText(
    `${plural(count, 'workstream')} made of ${plural(made.length, 'issue')}.\n\n${table(['issue', '', 'file', ''], rows)}`,
  );
  return made.some(({ action }) => action === 'failed') ? 1 : 0;
}
