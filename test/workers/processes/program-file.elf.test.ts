import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elfObstacle, isElf } from '../../../workers/processes/program-file.ts';

/** The head of an ELF file: the fields that are read, and the loader behind the table. */
function elf(machine: number, loader: string, size: 32 | 64, order: 'LE' | 'BE'): Buffer {
  const head = Buffer.alloc(512);
  head.write('\u007fELF', 'latin1');
  head[4] = size === 64 ? 2 : 1;
  head[5] = order === 'LE' ? 1 : 2;
  const half = (value: number, at: number): number =>
    order === 'LE' ? head.writeUInt16LE(value, at) : head.writeUInt16BE(value, at);
  const int = (value: number, at: number): number =>
    order === 'LE' ? head.writeUInt32LE(value, at) : head.writeUInt32BE(value, at);
  const address = (value: number, at: number): number =>
    size === 32 ? int(value, at) : int(value, order === 'LE' ? at : at + 4);
  half(machine, 18);
  address(64, size === 64 ? 32 : 28);
  half(64, size === 64 ? 54 : 42);
  half(1, size === 64 ? 56 : 44);
  int(3, 64);
  address(256, 64 + (size === 64 ? 8 : 4));
  address(loader.length + 1, 64 + (size === 64 ? 32 : 16));
  head.write(`${loader}\0`, 256);
  return head;
}

const MACHINES: Record<string, number> = { x64: 62, arm64: 183, riscv64: 243, s390x: 22, ppc64: 21 };
const here = MACHINES[process.arch] ?? 0;

test.each([
  ['of this machine', elf(here, '/', 64, 'LE'), null],
  ['of another one', elf(here === 62 ? 183 : 62, '/', 64, 'LE'), 'wrong-format'],
  ['of an unknown one', elf(9999, '/', 64, 'LE'), 'wrong-format'],
  ['with a loader that is missing', elf(here, '/no/ld-musl.so.1', 64, 'LE'), 'missing-loader'],
  ['of the other byte order', elf(here, '/no/ld.so.1', 64, 'BE'), 'missing-loader'],
  ['that is cut off', elf(here, '/', 64, 'LE').subarray(0, 40), 'wrong-format'],
])('a program %s', (_, head, obstacle) => {
  expect(isElf(head)).toBe(true);
  expect(elfObstacle(head)?.obstacle ?? null).toBe(obstacle);
});

test.runIf(process.arch === 'x64')('a program of 32 bits needs a loader of its own', () => {
  expect(elfObstacle(elf(3, '/no/ld-linux.so.2', 32, 'LE'))).toEqual({
    obstacle: 'missing-loader',
    detail: '/no/ld-linux.so.2',
  });
});

test.runIf(process.platform === 'linux')('nothing is wrong with the program that runs this', () => {
  const head = readFileSync(process.execPath).subarray(0, 4096);
  expect(elfObstacle(head)).toBeNull();
});
