let lastTime = Number.NaN;
let lastText = '';

/**
 * A time as ISO 8601 in UTC with milliseconds. Many results end within the same one, so the last text is kept.
 * @param time milliseconds since 1970.
 */
export function isoTimestamp(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}
