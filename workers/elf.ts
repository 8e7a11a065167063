/** Reads the head of an ELF file, the format of Linux's programs, as far as it says where the program can run. */
import { existsSync } from 'node:fs';
import type { NotExecutable } from '../src/domain/failure.ts';

/** Node's names of the processors that it runs on, and of others that programs are often built for. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
/** What runs programs of another processor too. */
const ALSO_RUNS: Readonly<Record<string, string>> = { x64: 'ia32', arm64: 'arm' };

/** Where the fields of the two sizes of ELF are. */
const FIELDS_64 = { table: 32, entrySize: 54, entries: 56, offset: 8, length: 32 };
const FIELDS_32 = { table: 28, entrySize: 42, entries: 44, offset: 4, length: 16 };
const MACHINE = 18;
const HEADER = 64;
/** The type of the entry that names the loader. */
const LOADER = 3;

export const isElf = (head: Buffer): boolean => head.toString('latin1', 0, 4) === '\u007fELF';

/** Null where its head says nothing against it. */
export function elfObstacle(head: Buffer): NotExecutable | null {
  if (head.length < HEADER) return { obstacle: 'wrong-format', detail: 'its file is cut off' };
  const reader = new ElfHead(head);
  const machine = MACHINES[reader.word(MACHINE)] ?? 'another processor';
  if (machine !== process.arch && ALSO_RUNS[process.arch] !== machine) {
    const detail = `it was built for ${machine}, and this machine is ${process.arch}`;
    return { obstacle: 'wrong-format', detail };
  }
  const loader = reader.loader();
  return loader === null || existsSync(loader) ? null : { obstacle: 'missing-loader', detail: loader };
}

class ElfHead {
  readonly #bytes: Buffer;
  readonly #is64: boolean;
  readonly #isLittle: boolean;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#is64 = bytes[4] === 2;
    this.#isLittle = bytes[5] === 1;
  }

  word(at: number): number {
    return this.#isLittle ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  /** Path of the program that loads its libraries; null where it names none, or not within these bytes. */
  loader(): string | null {
    const fields = this.#is64 ? FIELDS_64 : FIELDS_32;
    const size = this.word(fields.entrySize);
    const start = this.#long(fields.table);
    for (let index = 0; index < this.word(fields.entries); index += 1) {
      const entry = start + index * size;
      if (entry + size > this.#bytes.length) return null;
      if (this.#int(entry) === LOADER) return this.#text(entry, fields);
    }
    return null;
  }

  #text(entry: number, fields: typeof FIELDS_64): string | null {
    const from = this.#long(entry + fields.offset);
    const length = this.#long(entry + fields.length);
    if (from + length > this.#bytes.length) return null;
    return this.#bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  }

  #int(at: number): number {
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An address: 8 bytes or 4. */
  #long(at: number): number {
    if (!this.#is64) return this.#int(at);
    return Number(this.#isLittle ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at));
  }
}
