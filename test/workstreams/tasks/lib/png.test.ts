import { crc32, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodePng } from '../../../../workstreams/tasks/lib/png.ts';

const pixels = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 5, 250, 40, 255, 255, 255]);

/** The chunks of an image, each with a checked checksum. */
function chunks(png: Buffer): { type: string; data: Buffer }[] {
  const found = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    found.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += 12 + length;
  }
  return found;
}

/** Undoes the filter that takes the value at the left away. */
function unfilter(rows: Buffer, width: number): number[] {
  const values: number[] = [];
  for (let at = 0; at < rows.length; at += width * 3 + 1) {
    expect(rows[at]).toBe(1);
    const row: number[] = [];
    for (const difference of rows.subarray(at + 1, at + 1 + width * 3)) {
      row.push(((row.at(-3) ?? 0) + difference) & 0xff);
    }
    values.push(...row);
  }
  return values;
}

test('an image can be decoded to the same pixels', () => {
  const png = encodePng(3, 2, pixels);
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const [header, data, end, ...more] = chunks(png);
  expect([header?.type, data?.type, end?.type, more]).toEqual(['IHDR', 'IDAT', 'IEND', []]);
  // Width, height, eight bits, true colour, and the only methods there are.
  expect([...(header?.data ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
  expect(unfilter(inflateSync(data?.data ?? Buffer.alloc(0)), 3)).toEqual([...pixels]);
});

test('the number of values must fit the size', () => {
  expect(() => encodePng(2, 2, pixels)).toThrow('18 values are no image of 2 × 2 pixels.');
});
