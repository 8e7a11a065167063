import { type ParseErrorCode, printParseErrorCode } from 'jsonc-parser';
import { quote } from './describe-value.ts';

/** What each kind of syntax error means, as a sentence; `found` is the text it was found at. */
const MESSAGES: Record<string, (found: string) => string> = {
  InvalidSymbol: (found) => `unexpected ${found}; expected a value, and text stands in double quotes`,
  InvalidNumberFormat: (found) => `${found} is not a number`,
  PropertyNameExpected: (found) => `expected a field name in double quotes, found ${found}`,
  ValueExpected: (found) => `expected a value, found ${found}`,
  ColonExpected: (found) => `expected ":" after the field name, found ${found}`,
  CommaExpected: (found) => `expected "," before ${found}`,
  CloseBraceExpected: (found) => `expected "}", found ${found}`,
  CloseBracketExpected: (found) => `expected "]", found ${found}`,
  EndOfFileExpected: (found) =>
    `expected the end of the file, found ${found}; several workstreams in a file stand in an array`,
  UnexpectedEndOfComment: () => 'the comment has no end; expected "*/"',
  UnexpectedEndOfString: () => 'the string has no end on its line; expected a double quote',
  UnexpectedEndOfNumber: () => 'the number is not complete',
  InvalidUnicode: () => 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: () => 'a backslash begins no such escape; a backslash itself is written \\\\',
  InvalidCharacter: () => 'a control character in a string; write it as an escape such as \\t or \\u0000',
};

/** The sentence for an error that jsonc-parser found. */
export function syntaxMessage(code: ParseErrorCode, text: string, offset: number, length: number): string {
  const found = offset >= text.length ? 'the end of the file' : quote(text.slice(offset, offset + length));
  const message = MESSAGES[printParseErrorCode(code)];
  return message === undefined ? `not JSON at ${found}` : message(found);
}
