import { crc32, deflateSync } from 'node:zlib';

/** Portable Network Graphics, third edition: https://www.w3.org/TR/png-3/ */
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_A_CHANNEL = 8;
const TRUE_COLOUR = 2;
const CHANNELS = 3;
const FILTER_SUB = 1;

/**
 * Encodes an image of 8-bit red, green and blue values, row by row from the top left.
 * @throws RangeError when `rgb` does not have width × height × 3 values.
 */
export function encodePng(width: number, height: number, rgb: Uint8Array): Buffer {
  if (rgb.length !== width * height * CHANNELS) {
    throw new RangeError(`${rgb.length} values are no image of ${width} × ${height} pixels.`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([BITS_A_CHANNEL, TRUE_COLOUR], 8);
  const pixels = deflateSync(filterRows(width, height, rgb), { level: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Each value becomes its difference to the one at its left, which compresses better in smooth images. */
function filterRows(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const stride = width * CHANNELS;
  const filtered = new Uint8Array(height * (stride + 1));
  for (let row = 0; row < height; row += 1) {
    const to = row * (stride + 1) + 1;
    const from = row * stride;
    filtered[to - 1] = FILTER_SUB;
    for (let i = 0; i < stride; i += 1) {
      const left = i < CHANNELS ? 0 : (rgb[from + i - CHANNELS] ?? 0);
      filtered[to + i] = (rgb[from + i] ?? 0) - left;
    }
  }
  return filtered;
}

/** Length, type, data, and the checksum of type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
