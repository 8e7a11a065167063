/**
 * `npm run coverage`: coverage of the main thread's code and of the code in worker threads and child processes,
 * which the test runner's own collector does not see, merged into one table.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import coverage from 'istanbul-lib-coverage';

const raw = mkdtempSync(join(tmpdir(), 'millrace-coverage-'));
const run = (command, args, env = {}) =>
  execFileSync('npx', [command, ...args], { stdio: 'inherit', env: { ...process.env, ...env } });

try {
  run('vitest', ['run', '--coverage'], { NODE_V8_COVERAGE: raw });
  run('c8', [
    'report',
    '--temp-directory',
    raw,
    '--exclude-after-remap',
    '--include',
    'workers/**',
    '--include',
    'src/**',
    '--reporter',
    'json',
    '--reports-dir',
    'coverage/threads',
  ]);
} finally {
  rmSync(raw, { recursive: true });
}

const merged = coverage.createCoverageMap({});
for (const file of ['coverage/coverage-final.json', 'coverage/threads/coverage-final.json']) {
  merged.merge(JSON.parse(readFileSync(file, 'utf8')));
}
const rooms = new Map();
for (const file of merged.files()) {
  const parts = file.slice(process.cwd().length + 1).split('/');
  const room = parts[0] === 'workers' ? 'workers' : parts.slice(0, 2).join('/');
  const summary = rooms.get(room) ?? coverage.createCoverageSummary();
  summary.merge(merged.fileCoverageFor(file).toSummary());
  rooms.set(room, summary);
}
console.log('\nlines  branches  room');
for (const [room, { lines, branches }] of [...rooms].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(`${lines.pct.toFixed(1).padStart(5)}  ${branches.pct.toFixed(1).padStart(8)}  ${room}`);
}
const total = merged.getCoverageSummary();
console.log(`${total.lines.pct.toFixed(1).padStart(5)}  ${total.branches.pct.toFixed(1).padStart(8)}  all`);
