/** Whether bubblewrap can contain anything here. */
import { spawnSync } from 'node:child_process';
import { type TestAPI, test } from 'vitest';

/** Why it can't, for tests that are skipped for that; null where it can. */
const noSandbox: string | null = tryOne();

/** A test that needs a sandbox. On CI it fails where bwrap is missing, and is skipped where the kernel forbids it. */
export const sandboxed: Pick<TestAPI, 'each'> & ((name: string, run: () => Promise<void> | void) => void) =
  noSandbox === null ? test : test.skip;

function tryOne(): string | null {
  const options = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
  ];
  const { status, stderr, error } = spawnSync('bwrap', [...options, 'true'], { encoding: 'utf8' });
  if (status === 0) return null;
  const why = error === undefined ? `bwrap can't contain anything here: ${stderr}` : 'there is no bwrap';
  if (error !== undefined && process.env['CI'] !== undefined) throw new Error(`${why}: install bubblewrap`);
  process.stderr.write(`Tests of the sandbox are skipped: ${why}\n`);
  return why;
}
