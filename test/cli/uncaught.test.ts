import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { compiled } from '../kit/compiled.ts';

test('what nobody caught is said without secrets, and ends the process as Node would', async () => {
  const program = await compiled(new URL('./uncaught-program.ts', import.meta.url));
  const A_TOKEN = 'token-0123456789';
  const { status, stderr } = spawnSync(process.execPath, [program], {
    env: { ...process.env, A_TOKEN },
    encoding: 'utf8',
    // The program keeps itself alive, and would hold up the test's own limit as well.
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('wrong: [redacted: TOKEN]');
  expect(stderr).toContain("{ token: '[redacted: TOKEN]' }");
  expect(stderr).not.toContain(A_TOKEN);
});
