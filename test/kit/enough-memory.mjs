/** Preloaded with `--import`: a machine of 16 GB, half of them free, with no container around the process. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const FILES = new Map([
  ['/proc/meminfo', 'MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n'],
  ['/proc/self/cgroup', ''],
]);
const { readFileSync } = fs;

fs.readFileSync = (path, ...more) => FILES.get(path) ?? readFileSync(path, ...more);
syncBuiltinESMExports();
