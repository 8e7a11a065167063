// Preloaded into a measured process: at its end, its peak resident memory in KB goes to a file, a line a process.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.env.BENCH_PEAK_FILE !== undefined) {
  process.on('exit', () =>
    appendFileSync(process.env.BENCH_PEAK_FILE, `${process.resourceUsage().maxRSS}\n`),
  );
}
