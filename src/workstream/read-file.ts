/** Reads one workstream file as text, whatever it turns out to be. */
import { isUtf8 } from 'node:buffer';
import { lstatSync } from 'node:fs';
import { readRegular, UnusableFile } from '../os/regular-file.ts';

/** There is no file that can be read. */
type Unusable =
  | { kind: 'folder' }
  /** `offset` is where in `text` the reason is; null when the whole file is meant. */
  | { kind: 'unusable'; message: string; at: { text: string; offset: number } | null };

export type FileBytes = { kind: 'bytes'; bytes: Buffer } | Unusable;

export type FileText = { kind: 'text'; text: string } | Unusable;

const MAX_BYTES = 256 * 1024 * 1024;
const BYTE_ORDER_MARK = '\ufeff';
/** Replaces bytes that are not UTF-8 when they are decoded. */
const REPLACEMENT = '\ufffd';

/** Never throws, never waits for a pipe, and holds no more than the file in memory. */
export function readBytes(path: string): FileBytes {
  try {
    return { kind: 'bytes', bytes: readRegular(path, MAX_BYTES) };
  } catch (error) {
    if (error instanceof UnusableFile) return whyUnusable(error);
    return unusable(whyNot(path, errorCode(error)));
  }
}

/** What was read as text, without a byte order mark. */
export function decode(bytes: Buffer): FileText {
  const text = bytes.toString();
  return (
    (text.includes(REPLACEMENT) ? notUtf8(bytes, text) : null) ?? { kind: 'text', text: withoutMark(text) }
  );
}

/** The text of a file; as `readBytes`. */
export function readFile(path: string): FileText {
  const content = readBytes(path);
  return content.kind === 'bytes' ? decode(content.bytes) : content;
}

const withoutMark = (text: string): string => (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);

/** A message that names the byte behind the replacement character in the text; null when the file itself has one. */
function notUtf8(bytes: Buffer, text: string): FileText | null {
  if (isUtf8(bytes)) return null;
  const { byte, offset } = firstInvalid(bytes, text);
  const value = (bytes[byte] ?? 0).toString(16).padStart(2, '0');
  const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const guess = marked ? ' It looks like UTF-16.' : '';
  const message = `it is not UTF-8: byte 0x${value} at byte offset ${byte}.${guess} Save it as UTF-8`;
  return { kind: 'unusable', message, at: { text, offset } };
}

/** Offset of the first byte that is not UTF-8, and of its replacement in the decoded text. */
function firstInvalid(bytes: Buffer, text: string): { byte: number; offset: number } {
  const replacement = Buffer.from(REPLACEMENT);
  let byte = 0;
  let from = 0;
  for (;;) {
    const offset = text.indexOf(REPLACEMENT, from);
    if (offset === -1) return { byte, offset: from };
    byte += Buffer.byteLength(text.slice(from, offset));
    // A replacement character that is in the file itself is no mistake.
    if (!replacement.equals(bytes.subarray(byte, byte + replacement.length))) return { byte, offset };
    byte += replacement.length;
    from = offset + 1;
  }
}

function whyNot(path: string, code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'there is no permission to read it';
  if (code === 'ELOOP') return 'it is a symbolic link that leads back to itself';
  if (code === 'ENOENT' && path.includes(REPLACEMENT)) return 'its name is not UTF-8; rename it';
  if (code !== 'ENOENT') return `it can't be read (${code})`;
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return link
    ? 'it is a symbolic link to a file that does not exist'
    : 'it was removed while the folder was being read';
}

function whyUnusable({ what, message }: UnusableFile): Unusable {
  if (what === 'folder') return { kind: 'folder' };
  return unusable(what === 'too-large' ? `${message}. Split it into several files` : message);
}

function unusable(message: string): Unusable {
  return { kind: 'unusable', message, at: null };
}

/**
 * The workstream folder itself can't be used. The only error that `loadFolder` throws; whatever is wrong inside the
 * folder is data. `message` says what to do.
 */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  readonly kind: 'missing' | 'not-a-folder' | 'unreadable';
  /** Absolute path of the folder. */
  readonly folder: string;

  constructor(kind: FolderError['kind'], folder: string, cause: unknown) {
    super(MESSAGES[kind](folder), { cause });
    this.kind = kind;
    this.folder = folder;
  }
}

const MESSAGES: Record<FolderError['kind'], (folder: string) => string> = {
  missing: (folder) =>
    `There is no folder ${folder}. Make one with \`millrace init\`, or name another with --workstreams.`,
  'not-a-folder': (folder) => `${folder} is a file, not a folder. Give --workstreams the folder it is in.`,
  unreadable: (folder) => `The folder ${folder} can't be read. Check its permissions.`,
};

/** The code of an error of the operating system, such as `ENOENT`; the error as text for any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
