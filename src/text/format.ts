import { isAbsolute, relative, sep } from 'node:path';
import prettyMilliseconds from 'pretty-ms';

/** `plural(1, 'file')` is "1 file", `plural(2, 'file')` is "2 files". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A share between 0 and 1 for a person: "97.3 %". `null` is "–". */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** A duration for a person: "12 ms", "3.4s", "2m 5s". `null` is "–". */
export function seconds(value: number | null): string {
  return value === null ? '–' : prettyMilliseconds(value * 1000, { secondsDecimalDigits: 1 });
}

/** An amount of US dollars: `$1.50`; below a cent with four digits: `$0.0042`. */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 0.01) return `$${amount.toFixed(2)}`;
  return amount < 0.0001 ? '< $0.0001' : `$${amount.toFixed(4)}`;
}

/**
 * The known cost, as a sentence.
 * @param knownUsd null when nothing is known.
 * @param unknown number of attempts whose cost is not known.
 */
export function costSentence(knownUsd: number | null, unknown: number): string {
  if (knownUsd === null) return 'What it cost is not known.';
  const rest = unknown === 0 ? '' : ` What ${plural(unknown, 'attempt')} cost is not known.`;
  return `${dollars(knownUsd)} is known to have been spent.${rest}`;
}

let lastTime = Number.NaN;
let lastText = '';

/**
 * A time as ISO 8601 in UTC with milliseconds. The last text is cached, because many results end within one millisecond.
 * @param time milliseconds since 1970.
 */
export function isoTimestamp(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

/** "a, b, c, d, e and 3 more" */
export function nameSome(ids: readonly string[]): string {
  const left = ids.length - 5;
  return `${ids.slice(0, 5).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

/** A path as a person in `folder` would type it: relative to it if it is below it, otherwise absolute. */
export function shownPath(folder: string, path: string): string {
  const below = relative(folder, path);
  return below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below;
}
