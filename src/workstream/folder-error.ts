/**
 * The workstream folder itself can't be used. The one thing that `loadFolder` throws; whatever is wrong inside the
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
