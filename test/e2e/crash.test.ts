/** A few kills; `npm run test:crash` has many. */
import { expect, test } from 'vitest';
import { crash } from '../crash/crash.ts';

test('a run that is killed is resumed, loses nothing and repeats nothing', async () => {
  const count = await crash({ seed: 20_261_123, kills: 4, workstreams: 60 });
  expect(count.total).toBeGreaterThanOrEqual(4);
}, 120_000);
