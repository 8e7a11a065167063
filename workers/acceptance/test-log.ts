import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readTail } from '../../src/support/read-tail.ts';

/** Most that is read of a test's output in bytes: its end, where the summaries are. */
export const READ_LIMIT = 16 * 1024 * 1024;

export interface TestLog {
  text: string;
  /** False where there was more before it. */
  isWhole: boolean;
}

/** The last 16 MiB of a file. */
export function readTestLog(path: string): TestLog {
  return withFile(path, (descriptor) => {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, READ_LIMIT));
    const length = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return { text: bytes.toString('utf8', 0, length), isWhole: size <= bytes.length };
  });
}

/** The last 4 KiB of a test's output; empty where it printed nothing. */
export function testTail(path: string | null): string {
  return path === null ? '' : withFile(path, (descriptor) => readTail(descriptor, 0));
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'r');
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
