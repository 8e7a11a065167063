// Preloaded into a measured process: at its end, its peak resident memory in KB goes to a file.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.env.BENCH_PEAK_FILE !== undefined) {
  process.on('exit', () =>
    writeFileSync(process.env.BENCH_PEAK_FILE, String(process.resourceUsage().maxRSS)),
  );
}
