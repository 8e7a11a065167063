/** Reads when a usage limit passes from the sentence in which a tool says it. */

const SECONDS: ReadonlyMap<string, number> = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
  ['w', 604_800],
]);

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A time of day that passed this short a time ago is meant, and not that of tomorrow. In milliseconds. */
const JUST_PASSED = 15 * 60_000;
const DAY = 86_400_000;

/**
 * The time that a sentence names, in milliseconds since 1970; null where it names none. Understands seconds and
 * milliseconds since 1970 behind `|`, ISO 8601, durations ("in 5 days 22 hours 11 minutes", "after 111h9m43s"), dates
 * ("Jul 23rd, 2026 4:15 AM") and times of day ("resets 2pm (Asia/Shanghai)"). Those without a zone are in that of this
 * process.
 * @param now milliseconds since 1970.
 */
export function resetTime(text: string, now: number): number | null {
  return (
    sinceEpoch(text) ?? isoTime(text) ?? relative(text, now) ?? onDate(text, now) ?? timeOfDay(text, now)
  );
}

function sinceEpoch(text: string): number | null {
  const [, digits] = /\|(\d{10}|\d{13})\b/.exec(text) ?? [];
  if (digits === undefined) return null;
  return digits.length === 10 ? Number(digits) * 1000 : Number(digits);
}

function isoTime(text: string): number | null {
  const [found] =
    /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)/.exec(text) ?? [];
  const at = found === undefined ? Number.NaN : Date.parse(found.replace(' UTC', 'Z').replace(/\s/, 'T'));
  return Number.isNaN(at) ? null : at;
}

const UNIT = String.raw`(?:ms|milliseconds?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)`;
const RELATIVE = new RegExp(
  String.raw`\b(?:in|after)\s+((?:\d+(?:\.\d+)?\s*${UNIT}(?![a-z])[\s,]*(?:and\s+)?)+)`,
  'i',
);
const PART = new RegExp(String.raw`(\d+(?:\.\d+)?)\s*(${UNIT})(?![a-z])`, 'gi');

function relative(text: string, now: number): number | null {
  const [, duration] = RELATIVE.exec(text) ?? [];
  if (duration === undefined) return null;
  let seconds = 0;
  for (const [, amount = '', unit = ''] of duration.matchAll(PART)) {
    const short = /^m(?:s|illi)/i.test(unit) ? 'ms' : unit.slice(0, 1).toLowerCase();
    seconds += Number(amount) * (SECONDS.get(short) ?? 0);
  }
  return now + seconds * 1000;
}

const CLOCK = String.raw`(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*([ap])?\.?(?:m\b\.?)?`;
const ON_DATE = new RegExp(
  String.raw`\b(${MONTHS.join('|')})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?(?:,|\s+at)?\s+${CLOCK}`,
  'i',
);

function onDate(text: string, now: number): number | null {
  const [, name = '', day, year, hour, minute, half] = ON_DATE.exec(text) ?? [];
  const time = clock(hour, minute, half);
  if (time === null) return null;
  const zone = zoneOf(text);
  const month = MONTHS.indexOf(name.toLowerCase());
  const thisYear = partsIn(zone, now).year;
  const at = (in_: number): number => zoned({ year: in_, month, day: Number(day), ...time }, zone);
  if (year !== undefined) return at(Number(year));
  // A date that is long past is one of the next year.
  return at(thisYear) < now - 180 * DAY ? at(thisYear + 1) : at(thisYear);
}

const TIME_OF_DAY = new RegExp(String.raw`\b(?:resets?|at|until)\s+(?:at\s+)?${CLOCK}`, 'i');

/** The next such time of day. A number alone, without minutes and without am or pm, is none. */
function timeOfDay(text: string, now: number): number | null {
  const [, hour, minute, half] = TIME_OF_DAY.exec(text) ?? [];
  const time = minute === undefined && half === undefined ? null : clock(hour, minute, half);
  if (time === null) return null;
  const zone = zoneOf(text);
  const { year, month, day } = partsIn(zone, now);
  const today = zoned({ year, month, day, ...time }, zone);
  return today < now - JUST_PASSED ? zoned({ year, month, day: day + 1, ...time }, zone) : today;
}

function clock(
  hour: string | undefined,
  minute = '0',
  half?: string,
): { hour: number; minute: number } | null {
  if (hour === undefined) return null;
  const given = Number(hour);
  const isTwelve = half !== undefined;
  if (given > (isTwelve ? 12 : 23) || Number(minute) > 59) return null;
  const base = isTwelve ? (given % 12) + (half.toLowerCase() === 'p' ? 12 : 0) : given;
  return { hour: base, minute: Number(minute) };
}

/** The time zone that a text names in brackets or behind a time; undefined for that of this process. */
function zoneOf(text: string): string | undefined {
  const named =
    /\(([A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*)\)/.exec(text)?.[1] ?? /\b(UTC|GMT)\b/.exec(text)?.[1];
  if (named === undefined) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: named }).resolvedOptions().timeZone;
  } catch {
    // What is in brackets is no zone that is known here.
    return undefined;
  }
}

interface LocalTime {
  year: number;
  /** From 0. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

/** What clocks in a zone show at a time. */
function partsIn(zone: string | undefined, at: number): LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return {
    year: part('year'),
    month: part('month') - 1,
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
  };
}

/** When clocks in a zone show this. The offset is looked up twice, because it may be another one at the first guess. */
function zoned(local: LocalTime, zone: string | undefined): number {
  const wanted = Date.UTC(local.year, local.month, local.day, local.hour, local.minute);
  let at = wanted;
  for (let turn = 0; turn < 2; turn += 1) {
    const { year, month, day, hour, minute } = partsIn(zone, at);
    at += wanted - Date.UTC(year, month, day, hour, minute);
  }
  return at;
}
