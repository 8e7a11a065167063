/** Text to value: JSON, and JSON with comments and trailing commas. */
import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import type { Json } from '../domain/json.ts';
import { messageOf } from '../text/error-message.ts';
import { quote } from './json-value.ts';
import { extentOf } from './size-limits.ts';

/** What is wrong with the text at `offset`. */
interface SyntaxProblem {
  offset: number;
  message: string;
}

/** `keys`: how many the text has, repeated ones included. */
export type Parsed = { ok: true; value: Json; keys: number } | { ok: false; problems: SyntaxProblem[] };

/** Most syntax errors that are looked for in a file. */
const MAX_PROBLEMS = 20;

/**
 * Never throws. The value is nested at most 500 deep, and a key such as `__proto__` is a property like any other.
 */
export function parse(text: string): Parsed {
  if (text.trim() === '')
    return wrong({ offset: 0, message: 'the file is empty; expected a workstream or an array of them' });
  const { beyond, keys } = extentOf(text);
  if (beyond !== null) return wrong(beyond);
  const strict = parseStrict(text, keys);
  if (strict.ok) return strict;
  const { problems, extras } = survey(text);
  return problems.length > 0 ? { ok: false, problems } : parseStrict(blank(text, extras), keys);
}

function parseStrict(text: string, keys: number): Parsed {
  try {
    const value: Json = JSON.parse(text);
    return { ok: true, value, keys };
  } catch (error) {
    return wrong({
      offset: 0,
      message: `it is not JSON: ${messageOf(error)}`,
    });
  }
}

const wrong = (problem: SyntaxProblem): Parsed => ({ ok: false, problems: [problem] });

/** A stretch of text from `start` up to `end`. */
interface Stretch {
  start: number;
  end: number;
}

interface Survey {
  /** The first errors, one a line: most others on a line follow from its first. */
  problems: SyntaxProblem[];
  /** Comments and trailing commas, in order. */
  extras: Stretch[];
}

/** Stops the visitor; it has no other way to stop early. */
const ENOUGH = new Error('enough');

function survey(text: string): Survey {
  const problems: SyntaxProblem[] = [];
  const extras: Stretch[] = [];
  const lines = new Set<number>();
  let comma: Stretch | null = null;
  const other = (): void => void (comma = null);
  const close = (): void => {
    if (comma !== null) extras.push(comma);
    comma = null;
  };
  const visitor = {
    onComment: (start: number, length: number) => void extras.push({ start, end: start + length }),
    onSeparator: (char: string, start: number) =>
      void (comma = char === ',' ? { start, end: start + 1 } : null),
    onObjectBegin: other,
    onArrayBegin: other,
    onObjectProperty: other,
    onLiteralValue: other,
    onObjectEnd: close,
    onArrayEnd: close,
    onError: (code: ParseErrorCode, offset: number, length: number, line: number) => {
      if (lines.has(line)) return;
      lines.add(line);
      problems.push({ offset, message: syntaxMessage(code, text, offset, length) });
      if (problems.length === MAX_PROBLEMS) throw ENOUGH;
    },
  };
  try {
    visit(text, visitor, { allowTrailingComma: true });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return { problems, extras: extras.toSorted((a, b) => a.start - b.start) };
}

/** The text with the stretches as spaces, so that every other character keeps its offset. */
function blank(text: string, stretches: Stretch[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end } of stretches) {
    parts.push(text.slice(from, start), ' '.repeat(end - start));
    from = end;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/** What each kind of syntax error means, as a sentence; `found` is the text it was found at. */
const MESSAGES: Record<string, (found: string) => string> = {
  InvalidSymbol: (found) => `unexpected ${found}; expected a value, with text in double quotes`,
  InvalidNumberFormat: (found) => `${found} is not a number`,
  PropertyNameExpected: (found) => `expected a field name in double quotes, found ${found}`,
  ValueExpected: (found) => `expected a value, found ${found}`,
  ColonExpected: (found) => `expected ":" after the field name, found ${found}`,
  CommaExpected: (found) => `expected "," before ${found}`,
  CloseBraceExpected: (found) => `expected "}", found ${found}`,
  CloseBracketExpected: (found) => `expected "]", found ${found}`,
  EndOfFileExpected: (found) =>
    `expected the end of the file, found ${found}; put several workstreams of one file into an array`,
  UnexpectedEndOfComment: () => 'the comment is not closed; expected "*/"',
  UnexpectedEndOfString: () => 'the string is not closed on its line; expected a double quote',
  UnexpectedEndOfNumber: () => 'the number is not complete',
  InvalidUnicode: () => 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: () => 'there is no such escape sequence; a backslash itself is written \\\\',
  InvalidCharacter: () => 'a control character in a string; write it as an escape such as \\t or \\u0000',
};

/** The sentence for an error that jsonc-parser found. */
function syntaxMessage(code: ParseErrorCode, text: string, offset: number, length: number): string {
  const found = offset >= text.length ? 'the end of the file' : quote(text.slice(offset, offset + length));
  const message = MESSAGES[printParseErrorCode(code)];
  return message === undefined ? `not JSON at ${found}` : message(found);
}
