import type { Glyphs } from './glyphs.ts';

/** A bar of `columns` characters for a share from 0 to 1. It is full only when the share is. */
export function bar(share: number, columns: number, { full, empty }: Glyphs): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * columns);
  return full.repeat(filled) + empty.repeat(columns - filled);
}
