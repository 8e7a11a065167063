/** What an execution sends back beside its outcome: its logs, and the files that it declares as its outputs. */
import { closeSync, constants, createReadStream, fstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../../domain/outcome.ts';
import { openRegular } from '../../../os/regular-file.ts';
import { messageOf } from '../../../text/error-message.ts';
import type { Bodies } from '../bodies.ts';
import type { ReturnedFile } from '../protocol.ts';

const MB = 1024 * 1024;
/** Of a log that is longer than both together, the first and the last bytes are sent. */
const LOG_HEAD = MB;
const LOG_TAIL = 9 * MB;
/** Of all output files of one execution: they pass through the memory of Redis. */
const MOST_OUTPUT_BYTES = 256 * MB;

/** Where and as whose something is stored. */
export interface Sender {
  bodies: Bodies;
  owner: string;
}

/** Stores the logs in a folder, whatever their names. */
export async function sendLogs(folder: string, { bodies, owner }: Sender): Promise<ReturnedFile[]> {
  const found: ReturnedFile[] = [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const descriptor = openRegular(file, { flags: constants.O_RDONLY | constants.O_NOFOLLOW });
    try {
      let bytes = 0;
      const body = await bodies.store(
        owner,
        counted(pieces(descriptor), (size) => (bytes += size)),
      );
      found.push({ path: file.slice(folder.length + 1), bytes, executable: false, body });
    } finally {
      closeSync(descriptor);
    }
  }
  return found.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

async function* counted(
  content: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const piece of content) {
    count(piece.length);
    yield piece;
  }
}

async function* pieces(fd: number): AsyncGenerator<Buffer> {
  const { size } = fstatSync(fd);
  const read = (start: number, end: number): AsyncIterable<Buffer> =>
    createReadStream('', { fd, start, end: end - 1, autoClose: false });
  if (size === 0) return;
  if (size <= LOG_HEAD + LOG_TAIL) return yield* read(0, size);
  yield* read(0, LOG_HEAD);
  yield Buffer.from(`\n… ${size - LOG_HEAD - LOG_TAIL} bytes were left out on the way from the host …\n`);
  yield* read(size - LOG_TAIL, size);
}

export interface SentOutputs {
  files: ReturnedFile[];
  /** Why not all of them could be sent; null where they were. */
  problem: string | null;
}

/** Stores the files that an outcome lists as its outputs. @param workspace that it executed in. */
export async function sendOutputs(
  { outputs }: Outcome,
  workspace: string,
  { bodies, owner }: Sender,
): Promise<SentOutputs> {
  const files: ReturnedFile[] = [];
  let left = MOST_OUTPUT_BYTES;
  for (const { path, sha256 } of outputs) {
    if (sha256 === null) continue;
    try {
      const file = await sendFile(path, workspace, left, { bodies, owner });
      if (file === null) return { files, problem: TOO_MUCH };
      left -= file.bytes;
      files.push(file);
    } catch (error) {
      return { files, problem: `Its output file ${path} could not be sent: ${messageOf(error)}` };
    }
  }
  return { files, problem: null };
}

/** Null for a file of more than so many bytes. */
async function sendFile(
  path: string,
  workspace: string,
  mostBytes: number,
  { bodies, owner }: Sender,
): Promise<ReturnedFile | null> {
  const descriptor = openRegular(join(workspace, path), { flags: constants.O_RDONLY });
  try {
    const { size, mode } = fstatSync(descriptor);
    if (size > mostBytes) return null;
    const content =
      size === 0 ? [] : createReadStream('', { fd: descriptor, autoClose: false, end: size - 1 });
    const body = await bodies.store(owner, content);
    return { path, bytes: size, executable: (mode & 0o100) !== 0, body };
  } finally {
    closeSync(descriptor);
  }
}

const TOO_MUCH = `Its output files have more than ${MOST_OUTPUT_BYTES / MB} MB, which is the most that returns from a host. Let it write large files to a place that all hosts share.`;
