/** The characters that a frame and a summary are drawn with. */
export interface Glyphs {
  full: string;
  empty: string;
  separator: string;
  /** One column wide. */
  ellipsis: string;
  cross: string;
  times: string;
  /** Whether nothing beyond ASCII may be written. */
  ascii: boolean;
}

export const UNICODE: Glyphs = {
  full: '█',
  empty: '░',
  separator: ' · ',
  ellipsis: '…',
  cross: '✗',
  times: '×',
  ascii: false,
};

export const ASCII: Glyphs = {
  full: '#',
  empty: '.',
  separator: ', ',
  ellipsis: '~',
  cross: 'x',
  times: 'x',
  ascii: true,
};

/** What this terminal can show: ASCII where the locale is not UTF-8, and on the Linux console and dumb terminals. */
export function glyphsFor(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Glyphs {
  const term = env['TERM'];
  if (term === 'linux' || term === 'dumb') return ASCII;
  if (platform === 'win32') return env['WT_SESSION'] === undefined ? ASCII : UNICODE;
  // The first that is set and not empty decides, as for the C library.
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'C';
  return /utf-?8/i.test(locale) ? UNICODE : ASCII;
}
