/** As Millrace writes it. */
const OURS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const WITHOUT_ZONE = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d+)?$/;

/**
 * A time from the database as ISO 8601 in UTC with milliseconds. `YYYY-MM-DD HH:MM:SS`, as the older system wrote it,
 * is UTC. Null for what is no time.
 */
export function isoTime(cell: string | null): string | null {
  if (cell === null || OURS.test(cell)) return cell;
  const time = new Date(cell.replace(WITHOUT_ZONE, '$1T$2$3Z'));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
