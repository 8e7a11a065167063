import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { array, assert, asyncProperty, nat, string } from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LineStore, linesOf } from '../../src/os/lines.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function all(batches: AsyncIterable<string[]>): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of batches) lines.push(...batch);
  return lines;
}

const read = (...chunks: (string | Buffer)[]): Promise<string[]> =>
  all(linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))));

describe('lines of a stream', () => {
  test('end at a line feed, and the last one at the end', async () => {
    expect(await read('a\nb\r\n\n c')).toEqual(['a', 'b', '', ' c']);
    expect(await read('a\n')).toEqual(['a']);
    expect(await read()).toEqual([]);
  });

  test('are the same however they are divided into chunks', async () => {
    const text = string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.replaceAll('\r', ' '));
    await assert(
      asyncProperty(array(text), array(nat(100)), async (texts, cuts) => {
        const bytes = Buffer.from(texts.map((each) => `${each}\n`).join(''));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
          (a, b) => a - b,
        );
        const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
        expect(await read(...chunks)).toEqual(bytes.toString().split('\n').slice(0, -1));
      }),
    );
  });

  test('are cut at 16 MiB', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'a');
    const lines = await read(...Array.from({ length: 20 }, () => chunk), 'b\nnext');
    expect(lines.map(({ length }) => length)).toEqual([16 * 1024 * 1024, 4]);
  });
});

describe('lines that are kept', () => {
  test('are read again in their order, few or many', async () => {
    for (const count of [0, 1, 50_000]) {
      const store = new LineStore();
      const lines = Array.from({ length: count }, (_, index) => `line ${index} é`);
      for (const line of lines) store.add(line);
      expect(await all(store.read())).toEqual(lines);
      store.close();
    }
  });

  test('leave no file behind, also while they are kept', () => {
    const folder = temporaryFolder();
    vi.stubEnv('TMPDIR', folder);
    const store = new LineStore();
    for (let count = 0; count < 50_000; count += 1) store.add(`line ${count}`);
    expect(readdirSync(folder)).toEqual([]);
    store.close();
  });
});
