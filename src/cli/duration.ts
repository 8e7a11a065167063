import { UsageError } from './usage-error.ts';

const SECONDS: Record<string, number> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };

/** Seconds of `90`, `90s`, `5m`, `1h30m`, `30d`. @throws UsageError for anything else */
export function durationOf(option: string, text: string): number {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(?:\d+(?:\.\d+)?[wdhms])+$/.test(trimmed))
    throw new UsageError(`${option}: "${text}" is no duration. It reads like 90, 90s, 5m, 1h30m or 30d.`);
  let seconds = 0;
  for (const [, number = '', unit = ''] of trimmed.matchAll(/([\d.]+)([wdhms])/g))
    seconds += Number(number) * (SECONDS[unit] ?? 0);
  return seconds;
}
