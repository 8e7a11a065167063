/** Times of day for reports. All of them are in UTC, as the stored ones are. */

/** "2026-07-14 09:30:00"; null and what is not a time are "–". */
export function dateTime(iso: string | null): string {
  const time = parse(iso);
  return time === null ? '–' : new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** "09:30:00.250", with the date before it when it isn't the day of `since`. */
export function timeOfDay(iso: string | null, since: string): string {
  const time = parse(iso);
  if (time === null) return '–';
  const whole = new Date(time).toISOString();
  const start = parse(since);
  const sameDay = start !== null && new Date(start).toISOString().slice(0, 10) === whole.slice(0, 10);
  return sameDay ? whole.slice(11, 23) : whole.slice(0, 23).replace('T', ' ');
}

/** Seconds from one time to another, null when either isn't known. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  const start = parse(from);
  const end = parse(to);
  return start === null || end === null ? null : (end - start) / 1000;
}

/** Milliseconds since 1970. A time without a zone, as SQLite writes it, is UTC. */
export function parse(iso: string | null): number | null {
  if (iso === null) return null;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso.replace(' ', 'T')}Z`;
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? null : time;
}
