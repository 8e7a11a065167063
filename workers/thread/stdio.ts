import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Writable } from 'node:stream';
import { responsible } from '../execution.ts';

const encoding = (value: unknown): BufferEncoding =>
  typeof value === 'string' && Buffer.isEncoding(value) ? value : 'utf8';

/**
 * Standard output and error of this thread belong to the execution that prints, not to the process, whose standard
 * output is the log. Covers `console`, `process.stdout`, and writes to descriptors 1 and 2, as loggers do them.
 */
export function captureStandardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk: Uint8Array | string, second?: unknown, third?: unknown): boolean => {
      print(typeof chunk === 'string' ? Buffer.from(chunk, encoding(second)) : chunk);
      const callback = typeof second === 'function' ? second : third;
      if (typeof callback === 'function') process.nextTick(callback);
      return true;
    };
  }
  for (const stream of [process.stdout, process.stderr]) captureStreamEnd(stream);
  captureDescriptorWrites();
  syncBuiltinESMExports();
}

/** What goes past `write`. The stream never ends, because others in this thread use it too. */
function captureStreamEnd(stream: NodeJS.WriteStream): void {
  const take = (chunk: Uint8Array | string, given: BufferEncoding): void => {
    print(typeof chunk === 'string' ? Buffer.from(chunk, encoding(given)) : chunk);
  };
  const write: Writable['_write'] = (chunk, given, done) => {
    take(chunk, given);
    done();
  };
  const writeAll: NonNullable<Writable['_writev']> = (chunks, done) => {
    for (const { chunk, encoding: given } of chunks) take(chunk, given);
    done();
  };
  const end = (...args: unknown[]): NodeJS.WriteStream => {
    const [chunk, given] = args;
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) take(chunk, encoding(given));
    const callback = args.find((arg) => typeof arg === 'function');
    if (callback !== undefined) process.nextTick(callback);
    process.nextTick(() => stream.emit('finish'));
    return stream;
  };
  Object.assign(stream, { end, _write: write, _writev: writeAll });
}

function captureDescriptorWrites(): void {
  const { write, writeSync } = fs;
  Reflect.set(fs, 'writeSync', (fd: number, data: unknown, ...rest: unknown[]): unknown => {
    if (!isCaptured(fd)) return Reflect.apply(writeSync, fs, [fd, data, ...rest]);
    return print(bytesOf(data, rest));
  });
  Reflect.set(fs, 'write', (fd: number, data: unknown, ...rest: unknown[]): unknown => {
    if (!isCaptured(fd)) return Reflect.apply(write, fs, [fd, data, ...rest]);
    const length = print(bytesOf(data, rest));
    const callback = rest.at(-1);
    if (typeof callback === 'function') process.nextTick(callback, null, length, data);
    return undefined;
  });
}

const isCaptured = (fd: number): boolean => (fd === 1 || fd === 2) && responsible() !== null;

function print(bytes: Uint8Array): number {
  responsible()?.print(bytes);
  return bytes.length;
}

/** The part of `data` that `fs.write(fd, data, ...rest)` would write. */
function bytesOf(data: unknown, rest: unknown[]): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, encoding(rest[1]));
  if (!ArrayBuffer.isView(data)) throw new TypeError('The data to write must be a string or a view on bytes');
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const offset = typeof rest[0] === 'number' ? rest[0] : 0;
  const length = typeof rest[1] === 'number' ? rest[1] : bytes.length - offset;
  return bytes.subarray(offset, offset + length);
}
