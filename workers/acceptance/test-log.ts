import { closeSync, fstatSync, readSync } from 'node:fs';
import { openLogToRead } from '../../src/os/log-file.ts';
import { readTail } from '../../src/os/read-text.ts';
import { wholeCharacters } from '../../src/text/cut-text.ts';

/** Most that is read of a test's output in bytes: its end, where the summaries are. */
export const READ_LIMIT = 16 * 1024 * 1024;

export interface TestLog {
  text: string;
  /** False where there was more before it. */
  isWhole: boolean;
}

const NOTHING: TestLog = { text: '', isWhole: true };

/** The last 16 MiB of a file. */
export function readTestLog(path: string): TestLog {
  return withFile(path, NOTHING, (descriptor) => {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, READ_LIMIT));
    const length = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const end = bytes.subarray(0, length);
    const isWhole = size <= bytes.length;
    return { text: isWhole ? end.toString() : wholeCharacters(end), isWhole };
  });
}

/** The last 4 KiB of a test's output; empty where it printed nothing. */
export function testTail(path: string | null): string {
  return path === null ? '' : withFile(path, '', (descriptor) => readTail(descriptor, 0));
}

/** `nothing` where another file has taken its place: what that holds was not printed by the test. */
function withFile<T>(path: string, nothing: T, use: (descriptor: number) => T): T {
  const descriptor = openLogToRead(path);
  if (descriptor === null) return nothing;
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
