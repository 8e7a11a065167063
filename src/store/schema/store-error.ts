/** The errors of the database, discriminated by `kind`; `message` says what happened and what to do. */
import Database from 'better-sqlite3';

/**
 * - `newer-version`: made by a newer Millrace.
 * - `not-a-database`: the file is something else, or damaged.
 * - `locked`: another process kept it locked for longer than the time to wait.
 * - `unwritable`: the file or its folder can't be made, read or written.
 * - `disk-full`: there is no space left.
 * - `nowhere`: neither the database nor a file took results; `message` has the file system's reason.
 * - `replaced`: the files at the path are not those that were opened, and those can't be restored.
 * - `run-deleted`: the row of the run that is being written was deleted.
 * - `run-exists`: the id of the run is taken.
 * - `other`: anything else that SQLite refused.
 */
export type StoreErrorKind =
  | 'newer-version'
  | 'not-a-database'
  | 'locked'
  | 'unwritable'
  | 'disk-full'
  | 'nowhere'
  | 'replaced'
  | 'run-deleted'
  | 'run-exists'
  | 'other';

/** The only error that the store throws for what is not a bug. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** Turns an error of SQLite or of the file system into a `StoreError`; returns any other error as it is. */
export function asStoreError(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (code === null || !(error instanceof Error) || error instanceof StoreError) return error;
  const kind = kindOf(code);
  return new StoreError(kind, sentence(kind, path, error.message), error);
}

function codeOf(error: unknown): string | null {
  if (error instanceof Database.SqliteError) return error.code;
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

function kindOf(code: string): StoreErrorKind {
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'locked';
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return 'not-a-database';
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) return 'disk-full';
  if (
    /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH|IOERR)|EACCES|EPERM|EROFS|ENOTDIR|EEXIST|ENAMETOOLONG|ELOOP)/.test(
      code,
    )
  ) {
    return 'unwritable';
  }
  return 'other';
}

function sentence(kind: StoreErrorKind, path: string, detail: string): string {
  switch (kind) {
    case 'newer-version':
      return `The database ${path} was made by a newer version of Millrace. Update Millrace, or name another --state folder.`;
    case 'not-a-database':
      return `The file ${path} is not a database or is damaged (${detail}). Move it away, or name another --state folder.`;
    case 'locked':
      return `The database ${path} is locked by another process. Wait until that has ended, or end it, and try again.`;
    case 'unwritable':
      return `The database ${path} can't be opened or written (${detail}). Check the rights of the file and its folder, or name another --state folder.`;
    case 'disk-full':
      return `There is no space left for the database ${path}. Make room, or name another --state folder.`;
    case 'nowhere':
      return `Results could be written neither to the database ${path} nor to a file (${detail}), so nothing more is started. Those that are in no file are on standard error, one JSON object a line: saved as millrace-spill-1.jsonl in the folder of the database, the next run takes them in.`;
    case 'replaced':
      return `The database ${path} is not the file any more that this run had opened: ${detail}`;
    case 'run-deleted':
      return `The run ${detail} is not in the database ${path} any more: its row was deleted while it was under way, so it can't be recorded.`;
    case 'run-exists':
      return `The database ${path} has a run of this id already. Choose another one.`;
    case 'other':
      return `The database ${path} refused: ${detail}.`;
  }
}

/** A `StoreError` without an error of SQLite as its cause. */
export function storeError(kind: StoreErrorKind, path: string, detail = ''): StoreError {
  return new StoreError(kind, sentence(kind, path, detail));
}
