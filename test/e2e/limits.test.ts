/** What the system allows is not enough for a run: one sentence says so, and nothing was run. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bin, cleanEnvironment, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

interface Refused {
  code: number;
  stdout: string;
  stderr: string;
}

async function runUnder(limit: string, args: string): Promise<Refused> {
  const folder = temporaryFolder();
  const ids = Array.from({ length: 9 }, (_, index) => ({ id: `ws-${index}`, steps: [{ run: 'true' }] }));
  writeFiles(folder, { 'workstreams/all.json': ids });
  const line = `ulimit ${limit} && exec "${process.execPath}" "${bin}" ${args}`;
  const running = promisify(execFile)('sh', ['-c', line], { cwd: folder, env: cleanEnvironment() });
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Refused,
  );
}

test.runIf(process.platform === 'linux').each(['run', 'validate'])(
  'too few open files to load: %s',
  async (command) => {
    const { code, stdout, stderr } = await runUnder('-n 40', command);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^millrace: A process may have only 40 files open at once here, .*ulimit -n 1024\n$/,
    );
  },
);

test.runIf(process.platform === 'linux')('too few open files for so many agents', async () => {
  const { code, stdout } = await runUnder('-n 80', 'run -j 9');
  expect(code).toBe(2);
  expect(stdout).toContain('80 files open at once, and 9 agents need 112');
  expect(stdout).toContain('fewer agents (-j 5)');
});
