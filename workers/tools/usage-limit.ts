/**
 * Recognises usage limits in what tools say of their errors. Only whole sentences count: prose about limits, such as that
 * of a task, is none.
 */
import type { Failure } from '../../src/domain/failure.ts';
import type { LimitClass, UsageLimit } from '../../src/domain/tool-report.ts';
import { oneLine } from '../../src/text/printable.ts';
import { resetTime } from './reset-time.ts';

/** Characters of a limit's text. */
const TEXT = 300;

/** What a tool says of its error. */
export interface LimitFacts {
  /** In words; several lines are looked at one by one. */
  words: string;
  /** HTTP status of its model's server; null where it does not say. Default: null. */
  status?: number | null;
  /** When the limit passes, in milliseconds since 1970, where it gives that as a number. Default: null. */
  resetsAt?: number | null;
  /** The class where neither its words nor a status tell. Default: null, for no limit. */
  otherwise?: LimitClass | null;
}

/**
 * The usage limit that an error tells of; null where it tells of none.
 * @param failure what the adapter made of the error.
 * @param now milliseconds since 1970, from which "in 5 hours" counts.
 */
export function limitOf(
  failure: Failure,
  { words, status = null, resetsAt = null, otherwise = null }: LimitFacts,
  now = Date.now(),
): UsageLimit | null {
  const said = limitSentence(words);
  const kind =
    failure.reason === 'tool-not-logged-in' ? 'auth' : (said?.class ?? classOf(status) ?? otherwise);
  if (kind === null) return null;
  const text = said?.text ?? words;
  return {
    class: kind,
    resetsAt: resetsAt ?? resetTime(text, now),
    exact: resetsAt !== null,
    text: oneLine(text, TEXT),
  };
}

function classOf(status: number | null): LimitClass | null {
  if (status === 402) return 'cap';
  return status === 429 ? 'rate' : null;
}

/** The first line that is the sentence of a limit; null for none. */
export function limitSentence(words: string): { class: LimitClass; text: string } | null {
  for (const line of words.split('\n')) {
    const text = line
      .trim()
      .replace(/^\[(.*)\]$/, '$1')
      .replace(PREFIX, '');
    const found = SENTENCES.find(([, sentence]) => sentence.test(text));
    if (found !== undefined) return { class: found[0], text };
  }
  return null;
}

/** Names of errors, and of libraries and vendors that passed one on. */
const PREFIX = /^(?:(?:[\w.]*(?:Error|Exception)|API)\s*[:-]?\s+)+/;

const TIME = String.raw`(?:\s*[·∙•|,;.(-]?\s*(?:[Yy]our quota will |[Ii]t )?(?:resets?|try again|retry|please (?:try again|retry)|again)\b.{1,120})?`;

const sentence = (text: string): RegExp => new RegExp(`^${text}$`, 'u');

/** As vendors say them; each stands alone on its line. */
const SENTENCES: readonly (readonly [LimitClass, RegExp])[] = [
  // Claude Code
  ['window', sentence(String.raw`You['’]ve (?:hit|reached) your (?:[\w-]+ ){0,3}limit[.!]?${TIME}`)],
  ['window', sentence(String.raw`Claude(?: AI)? usage limit reached[.!]?(?:\|\d+|${TIME})`)],
  [
    'window',
    sentence(String.raw`(?:5-hour|[Ww]eekly|[Ss]ession|Opus weekly|Usage) limit reached[.!]?${TIME}`),
  ],
  ['window', sentence(String.raw`You['’]re out of extra usage${TIME}`)],
  ['cap', sentence(String.raw`Your? ?[Cc]redit balance is too low\b.{0,200}`)],
  ['cap', sentence(String.raw`Credit balance is too low\b.{0,200}`)],
  [
    'cap',
    sentence(
      String.raw`(?:You(?:['’]ve| have)|Your (?:organization|workspace|account|team|plan)(?: has)?) (?:hit|reached|exceeded) (?:its|your|the) (?:[\w']+ ){0,4}(?:spend|spending|budget|billing|monthly)(?: usage)?(?: \w+)? ?limit[.!]?.{0,200}`,
    ),
  ],
  // Codex
  ['window', sentence(String.raw`You['’]ve hit your usage limit(?: for [^.]{1,60})?\.(?: .{1,300})?`)],
  ['rate', sentence(String.raw`exceeded retry limit, last status: 429 Too Many Requests\b.{0,200}`)],
  // OpenAI
  [
    'cap',
    sentence(
      String.raw`You exceeded your current quota, please check your plan and billing details\b.{0,400}`,
    ),
  ],
  ['cap', sentence(String.raw`Quota exceeded\. Check your plan and billing details\.?`)],
  ['cap', sentence(String.raw`Your account is not active, please check your billing details\b.{0,200}`)],
  ['rate', sentence(String.raw`Rate limit reached for .{1,200}`)],
  // Anthropic
  [
    'rate',
    sentence(
      String.raw`(?:This request would exceed|This exceeds) (?:the|your) (?:[\w']+ ){0,3}rate limit\b.{0,400}`,
    ),
  ],
  ['rate', sentence(String.raw`(?:429 )?[Tt]oo [Mm]any [Rr]equests[.!]?${TIME}`)],
  // Gemini CLI, Antigravity
  [
    'window',
    sentence(
      String.raw`(?:You have exhausted your (?:capacity|daily quota|quota)(?: on this model)?\.? ?)?Your quota will reset after .{1,40}`,
    ),
  ],
  [
    'window',
    sentence(String.raw`You have exhausted your (?:capacity|daily quota|quota)(?: on this model)?[.!]?`),
  ],
  ['window', sentence(String.raw`(?:[^.]{1,120}[.:] )?Resets in (?:\d+(?:\.\d+)?[dhms])+\.?`)],
];
