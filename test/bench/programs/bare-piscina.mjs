// The baseline: the same function of the same module on the same pool with as many threads, each result awaited, nothing
// recorded. node bare-piscina.mjs COUNT THREADS NAME INPUT [IN_HAND]
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

/** Tasks in hand for each thread. With more the pool needs more memory, with fewer its threads wait. */
const IN_HAND = 32;

const [count, threads, name, input, inHand = IN_HAND] = process.argv.slice(2);
const pool = new Piscina({
  filename: fileURLToPath(new URL('./work.mjs', import.meta.url)),
  minThreads: Number(threads),
  maxThreads: Number(threads),
});
const given = JSON.parse(input);
const options = { name };
let left = Number(count);

async function runNext() {
  while (left > 0) {
    left -= 1;
    await pool.run(given, options);
  }
}
await Promise.all(Array.from({ length: Number(threads) * Number(inHand) }, runNext));
await pool.destroy();
