/** Values as texts for people. Numbers and their units are kept on one line by narrow spaces that do not break. */

import prettyMilliseconds from 'pretty-ms';
import type { AwaitedLimit } from '../../domain/run-record.ts';

const NARROW = '\u202f';

/** What is not known. */
export const UNKNOWN = '–';

/** A whole number with its thousands apart: "12 345". */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, NARROW);
}

/** `plural(1, 'file')` is "1 file", `plural(2, 'file')` is "2 files". */
export const plural = (value: number, noun: string, nouns = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : nouns}`;

/** A duration: "12 ms", "3.4 s", "2 m 5 s". Null is a dash. */
export function duration(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  return prettyMilliseconds(seconds * 1000, { secondsDecimalDigits: 1 }).replaceAll(
    /(\d)([a-z])/g,
    `$1${NARROW}$2`,
  );
}

/** A measured number with at most four significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return exponential(value);
  if (size >= 1000) return `${value < 0 ? '−' : ''}${count(size)}`;
  return String(Number(value.toPrecision(4))).replace('-', '−');
}

/** "1e−7", "2.35e−7". */
const exponential = (value: number): string =>
  value
    .toExponential(2)
    .replace(/\.?0+e/, 'e')
    .replaceAll('-', '−')
    .replace('e+', 'e');

/** A share between 0 and 1: "97 %", "4.2 %". */
export function percent(share: number | null): string {
  if (share === null) return UNKNOWN;
  const value = share * 100;
  return `${value > 0 && value < 10 ? Number(value.toFixed(1)) : Math.round(value)}${NARROW}%`;
}

/** US dollars: "$1.50", below a cent "$0.0042". */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 0.01) return `$${amount.toFixed(2)}`;
  return amount < 0.0001 ? '< $0.0001' : `$${amount.toFixed(4)}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A size in bytes: "1.4 MB". */
export function bytes(size: number): string {
  const power = size < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3));
  return `${Number((size / 1000 ** power).toPrecision(3))}${NARROW}${UNITS[power]}`;
}

/** Megabytes: "512 MB", "1.5 GB". */
export const megabytes = (size: number): string => bytes(size * 1e6);

const pad = (value: number): string => String(value).padStart(2, '0');

/** "2026-11-29 09:05:23" in the reader's own time zone. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const date = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** "09:05:23" on the same day as the other time, otherwise with its date. */
export function timeBeside(iso: string, other: string): string {
  const [text, day] = [localTime(iso), localTime(other).slice(0, 11)];
  return text.startsWith(day) ? text.slice(day.length) : text;
}

/** "claude, which resets at 2026-11-29 09:05:23". */
export const limitWords = (limit: AwaitedLimit | null): string =>
  limit === null ? 'a tool' : `${oneLine(limit.tool, 40)}, which resets at ${localTime(limit.until)}`;

/** The same time in UTC, as it is told on hover. */
export function utcTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Seconds since the start of a run as a clock: "0 s", "45 s", "1:05", "1:02:03". */
export function clock(seconds: number, step: number): string {
  if (step < 1) return `${Number(seconds.toFixed(step < 0.01 ? 3 : step < 0.1 ? 2 : 1))}${NARROW}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${NARROW}s`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** "a, b and c" */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

// oxlint-disable-next-line no-control-regex
const ESCAPE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g;
const UNSEEN =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const PLAIN = /^[\n\t\x20-\x7e]*$/;

/**
 * Text of a workstream as it is shown: without terminal escapes, of lines that were written over their last state, and
 * with � for characters that can't be seen or change the direction of what stands beside them.
 */
export function shown(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replaceAll(ESCAPE, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\n\r]*\r(?=[^\n])/g, '')
    .replaceAll('\r', '')
    .replaceAll(UNSEEN, '\ufffd');
}

/** `shown` on one line of at most `length` characters. */
export function oneLine(text: string, length: number): string {
  const flat = shown(text.slice(0, length * 4))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return flat.length <= length ? flat : `${flat.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** An agent of a host of a queue is called `HOST/agent-2`; the host is null for one of the machine of the run. */
export function agentParts(agentId: string): { host: string | null; name: string } {
  const end = agentId.lastIndexOf('/');
  return end === -1
    ? { host: null, name: agentId }
    : { host: agentId.slice(0, end), name: agentId.slice(end + 1) };
}

/** The name of an agent on one line. Of one that is too long the host is cut, as the rest tells its agents apart. */
export function agentText(agentId: string, length: number): string {
  const { host, name } = agentParts(agentId);
  const own = oneLine(name, length);
  return host === null ? own : `${oneLine(host, Math.max(1, length - own.length - 1))}/${own}`;
}

/** What a cell of a table holds. */
export type CsvValue = string | number | boolean | null;

/**
 * Text that begins so is a formula to a spreadsheet, which would compute it, fetch an address or start a program. It gets
 * an apostrophe in front, as OWASP advises against CSV injection. Numbers are no text.
 */
const FORMULA = /^\s*[=+\-@\t\r]/;

/** A table as comma-separated values (RFC 4180): lines with `\r\n`, a header first. */
export function csv(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A part of a text; null for a hole in it. */
interface TextPart {
  text: string | null;
  /** Whether it stands between backticks. */
  isCode: boolean;
}

/**
 * The parts of a text, which may have holes, without the backticks around code. One that has no partner stays, and so do all
 * of a text with several in a row, which is Markdown that is more than a sentence.
 */
export function withCode(parts: readonly (string | null)[]): TextPart[] {
  if (parts.some((part) => part?.includes('``') === true))
    return parts.map((text) => ({ text, isCode: false }));
  const ticks = parts.join('').split('`').length - 1;
  const paired = ticks - (ticks % 2);
  let seen = 0;
  return parts
    .flatMap((part): TextPart[] => {
      if (part === null) return [{ text: null, isCode: seen % 2 === 1 && seen < paired }];
      return part.split('`').map((text, index) => {
        if (index > 0) seen += 1;
        return seen > paired ? { text: `\`${text}`, isCode: false } : { text, isCode: seen % 2 === 1 };
      });
    })
    .filter(({ text }) => text !== '');
}
