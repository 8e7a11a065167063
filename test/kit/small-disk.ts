/** A real file system of a few megabytes, which a test can fill. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Why none can be mounted here, for a test that is skipped for that; null where one can. */
export const noSmallDisk: string | null = tryToMount();

/** Mounts one in a folder of its own until the test ends. */
export function smallDisk(megabytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
  const refusal = mount(folder, megabytes);
  if (refusal !== null) throw new Error(refusal);
  onTestFinished(() => {
    unmount(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function tryToMount(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
  const refusal = mount(folder, 1);
  if (refusal === null) unmount(folder);
  rmSync(folder, { recursive: true, force: true });
  return refusal;
}

function mount(folder: string, megabytes: number): string | null {
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder],
    { encoding: 'utf8' },
  );
  return status === 0 ? null : `no file system can be mounted here: ${error?.message ?? stderr.trim()}`;
}

/** Lazily, because a process that has just been killed may still hold a file of it for a moment. */
function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder]);
}
