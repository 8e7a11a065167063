// The baseline: the same work on the same pool, with nothing recorded. node bare-piscina.mjs COUNT THREADS NAME ROUNDS
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

const [count, threads, name, rounds] = process.argv.slice(2);
const pool = new Piscina({
  filename: fileURLToPath(new URL('./work.mjs', import.meta.url)),
  minThreads: Number(threads),
  maxThreads: Number(threads),
});
await Promise.all(
  Array.from({ length: Number(count) }, () => pool.run({ rounds: Number(rounds ?? 0) }, { name })),
);
await pool.destroy();
