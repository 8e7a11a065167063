/** Shell commands that the page offers to copy. What a workstream is called can't become more than a word of them. */

/** Characters that no shell acts on; an option can't begin so. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./][\w@%+=:,./-]*$/;

/** Quoted for a POSIX shell; null where it holds characters that can't be typed or seen, or would be an option. */
function shellWord(text: string): string | null {
  if (PLAIN_WORD.test(text)) return text;
  // oxlint-disable-next-line no-control-regex
  if (/^$|^-|[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(text))
    return null;
  return text.isWellFormed() ? `'${text.replaceAll("'", String.raw`'\''`)}'` : null;
}

/** A command of the words; null where one of them can't be in a command. */
export function commandOf(program: string, ...words: readonly string[]): string | null {
  const quoted = words.map(shellWord);
  return quoted.includes(null) ? null : [program, ...quoted].join(' ');
}

/** Runs workstreams again, by their ids; null where one of them can't be typed. */
export const runCommand = (ids: readonly string[]): string | null =>
  ids.length === 0 ? null : commandOf('millrace run', ...ids);

/** Runs again what failed in a run. */
export const retryCommand = (runId: string): string =>
  commandOf('millrace run --retry-failed', runId) ?? 'millrace run --retry-failed';
