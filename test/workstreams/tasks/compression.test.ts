import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import compareCompression from '../../../workstreams/tasks/compression.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('compresses all files together, gets them back, and says how small they became', async () => {
  const workspace = temporaryFolder();
  const text = Array.from({ length: 3000 }, (_, i) => `line ${i * 7919}`).join('\n');
  writeFiles(workspace, { 'a.txt': text, 'b.txt': text });
  const input = { files: { patterns: ['*.txt'], max_megabytes: 1 }, gzip: [1, 9], brotli: [11] };
  const { output } = await compareCompression(input, makeContext({ workspace }));
  const data = Buffer.from(text + text);
  const ratio = (compressed: Buffer): unknown => expect.closeTo(data.length / compressed.length, 2);
  const speed = expect.any(Number);
  const result = (codec: string, compressed: Buffer) => ({
    codec,
    ratio: ratio(compressed),
    megabytes: expect.closeTo(compressed.length / 1e6, 3),
    compress_mb_s: speed,
    decompress_mb_s: speed,
  });
  expect(output).toMatchObject({
    files: 2,
    results: [
      result('gzip 1', gzipSync(data, { level: 1 })),
      result('gzip 9', gzipSync(data, { level: 9 })),
      result('brotli 11', brotliCompressSync(data)),
    ],
    smallest: expect.stringMatching(/^brotli 11: [\d.]+ to 1$/),
  });
});
