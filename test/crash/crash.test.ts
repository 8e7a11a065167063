/** `npm run test:crash`: CRASH_KILLS says how often runs are killed, CRASH_SEED repeats a sequence. */
import { expect, test } from 'vitest';
import { crash } from './crash.ts';

const inCi = ![undefined, '', 'false', '0'].includes(process.env['CI']);
const kills = Number(process.env['CRASH_KILLS'] ?? (inCi ? 40 : 200));
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test(`runs that are killed ${kills} times lose nothing and repeat nothing (CRASH_SEED=${seed})`, async () => {
  process.stdout.write(`CRASH_SEED=${seed} CRASH_KILLS=${kills}\n`);
  const count = await crash({ seed, kills, workstreams: 300 });
  process.stdout.write(`${JSON.stringify(count)}\n`);
  expect(count.total).toBeGreaterThanOrEqual(kills);
}, 3_600_000);
