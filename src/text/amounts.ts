/** Durations and sizes as people write them. */

const SECONDS: Record<string, number> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };

/** Seconds of `90`, `90s`, `5m`, `1h30m`, `30d`; null for anything else. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(?:\d+(?:\.\d+)?[wdhms])+$/.test(trimmed)) return null;
  let seconds = 0;
  for (const [, number = '', unit = ''] of trimmed.matchAll(/([\d.]+)([wdhms])/g))
    seconds += Number(number) * (SECONDS[unit] ?? 0);
  return seconds;
}

const MEGABYTES: Record<string, number> = { k: 1 / 1024, m: 1, g: 1024, t: 1024 ** 2 };

/** Megabytes (2^20 bytes) of `512`, `512M`, `16G`, `1.5 GB`, `2TiB`; null for anything else. */
export function parseSize(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])i?b?)?$/i.exec(text.trim()) ?? [];
  return number === undefined ? null : Number(number) * (MEGABYTES[unit?.toLowerCase() ?? 'm'] ?? 1);
}

/** Megabytes for a person: "512 MB", "16 GB", "1.5 GB". */
export function megabytes(size: number): string {
  const rounded = (amount: number): number => Math.round(amount * 10) / 10;
  return size < 1024 ? `${rounded(size)} MB` : `${rounded(size / 1024)} GB`;
}

/** Processors for a person: "1 cpu", "2.5 cpus". */
export function processors(count: number): string {
  const rounded = Math.round(count * 100) / 100;
  return `${rounded} ${rounded === 1 ? 'cpu' : 'cpus'}`;
}

/** "2 cpus, 10 GB", "1 cpu", "10 GB"; a dash for nothing. */
export function reservationText({
  cpus,
  memoryMb,
}: {
  cpus: number | null;
  memoryMb: number | null;
}): string {
  const parts = [
    ...(cpus === null ? [] : [processors(cpus)]),
    ...(memoryMb === null ? [] : [megabytes(memoryMb)]),
  ];
  return parts.length === 0 ? '–' : parts.join(', ');
}
