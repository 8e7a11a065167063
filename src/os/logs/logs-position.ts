/**
 * How far the logs of a run were read, as a text that a client keeps: it names the logs that are still written. Of all others
 * it is enough to know when the last was begun: what was begun until then has been read, and what was begun later has not.
 */

export interface LogsPosition {
  /** When the newest log was begun that was known, in milliseconds since 1970. */
  begun: number;
  /** By number of the file: up to where it was read, in bytes; null for one of which nothing was read so far. */
  read: ReadonlyMap<number, number | null>;
  /** False where there were too many of them: the others are to be read as at the beginning. */
  isWhole: boolean;
}

/** Most characters of a position: it is a part of an address, and servers take about 8 KB of that. Each log needs about 12. */
const LONGEST = 6000;

/** "BEGUN", "BEGUN.FILE-BYTES.FILE-BYTES", and at its end ".more" where others are left out. */
export function formatPosition({ begun, read, isWhole }: LogsPosition): string {
  let text = number36(begun);
  for (const [file, at] of read) {
    const part = `.${number36(file)}-${at === null ? '' : number36(at)}`;
    if (text.length + part.length > LONGEST) return `${text}.more`;
    text += part;
  }
  return isWhole ? text : `${text}.more`;
}

const number36 = (value: number): string => Math.ceil(value).toString(36);

const POSITION = /^([0-9a-z]{1,12})((?:\.[0-9a-z]{1,14}-[0-9a-z]{0,12})*)(\.more)?$/;

/** Null for what is no position. */
export function parsePosition(text: string): LogsPosition | null {
  if (text.length > LONGEST + 5) return null;
  const [whole, begun = '', list = '', more] = POSITION.exec(text) ?? [];
  if (whole === undefined) return null;
  const parts = list.split('.').slice(1);
  const read = new Map(
    parts.map((part): [number, number | null] => {
      const [file = '', at = ''] = part.split('-');
      return [Number.parseInt(file, 36), at === '' ? null : Number.parseInt(at, 36)];
    }),
  );
  return { begun: Number.parseInt(begun, 36), read, isWhole: more === undefined };
}
