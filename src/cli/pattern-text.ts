/** What differs within a pattern, as a person reads it. */
import type { ErrorPattern } from '../domain/history/pattern.ts';
import { oneLine } from '../text/printable.ts';

/** Values that are shown of one hole, and places. */
const SHOWN = 5;
/** Characters of a value. */
const VALUE = 60;

/** One text a hole: "express-session (12), ./config/ssl (3) and 4 more". */
export const valueTexts = (values: ErrorPattern['values']): string[] =>
  values.map(({ distinct, shown }) => counted(shown, distinct));

/** "/jobs/read.ts readAll (12), /jobs/main.ts (1)"; empty for none. */
export const placesText = (places: ErrorPattern['places']): string =>
  counted(
    places.map(({ place, count }) => ({ text: place, count })),
    places.length,
  );

function counted(entries: readonly { text: string; count: number }[], total: number): string {
  const shown = entries.slice(0, SHOWN).map(({ text, count }) => `${oneLine(text, VALUE)} (${count})`);
  const left = total - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${left} more` : '');
}
