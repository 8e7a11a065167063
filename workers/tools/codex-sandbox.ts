/** Whether the sandbox of Codex stopped a write, from all that tells of it. */

/** What tells of the sandbox. */
interface Evidence {
  /** The sandbox in force; null where it is not known. */
  sandbox: string | null;
  /** What commands and patches gave the model. */
  outputs: readonly string[];
  /** The end of what the program printed. */
  tail: string;
}

export interface BlockedWrite {
  /** The whole sandbox is read-only, or only this write was not permitted. */
  by: 'read-only' | 'permission';
  /** The program's own words, one line. */
  words: string;
}

/** A patch that was refused, as the model is told, and as the program's log has it. */
const REJECTED = [/^patch rejected: (.+)/, /ERROR codex_core\S* error=patch rejected: (.+)/m];
/** What a command says that could not write; any command may print it, so that it counts in a read-only sandbox only. */
const READ_ONLY = /Read-only file system|\bEROFS\b|Operation not permitted/;

/** The first write that was stopped; null for none that is known. */
export function blockedWrite({ sandbox, outputs, tail }: Evidence): BlockedWrite | null {
  for (const text of [...outputs, tail]) {
    for (const rejected of REJECTED) {
      const words = rejected.exec(text)?.[1];
      if (words !== undefined) return { by: words.includes('read-only') ? 'read-only' : 'permission', words };
    }
  }
  if (sandbox !== 'read-only') return null;
  for (const output of outputs) {
    const words = output.split('\n').find((line) => READ_ONLY.test(line));
    if (words !== undefined) return { by: 'read-only', words: words.trim() };
  }
  return null;
}
