/** The hash of a file is that of what it is now. */
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileHashes } from '../../src/cache/file-hashes.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('what was being read when files may have changed is not known of them after that', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'large.bin');
  // Large enough to be read between other events.
  const before = 'a'.repeat(1_000_000);
  const after = 'b'.repeat(1_000_000);
  writeFileSync(path, before);
  const hashes = new FileHashes(join(folder, 'hashes.json'));
  const begun = hashes.contentOf(path);
  hashes.forget();
  expect((await begun)?.sha256).toBe(hash('sha256', before));
  writeFileSync(path, after);
  expect((await hashes.contentOf(path))?.sha256).toBe(hash('sha256', after));
});
