import prettyMilliseconds from 'pretty-ms';

/** A duration for a person: "12 ms", "3.4s", "2m 5s". `null` is "–". */
export function seconds(value: number | null): string {
  return value === null ? '–' : prettyMilliseconds(value * 1000, { secondsDecimalDigits: 1 });
}
