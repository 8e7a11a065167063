/**
 * `npm run test:distributed`: runs over two hosts whose parts fail at random. FAULTS says how often, FAULTS_SEED repeats a
 * sequence.
 */
import { expect, test } from 'vitest';
import { hasRedis } from '../kit/redis.ts';
import { faults } from './faults.ts';

const inCi = ![undefined, '', 'false', '0'].includes(process.env['CI']);
const count = Number(process.env['FAULTS'] ?? (inCi ? 20 : 100));
const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test.skipIf(!hasRedis)(
  `runs over two hosts with ${count} faults lose nothing and take nothing twice (FAULTS_SEED=${seed})`,
  async () => {
    process.stdout.write(`FAULTS_SEED=${seed} FAULTS=${count}\n`);
    const done = await faults({ seed, count });
    process.stdout.write(`${JSON.stringify(done)}\n`);
    expect(Object.values(done.faults).reduce((sum, times) => sum + times, 0)).toBe(count);
  },
  3_600_000,
);
