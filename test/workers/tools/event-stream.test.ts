import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.ts';
import { EventStream } from '../../../workers/tools/event-stream.ts';

/** The events of a text that was printed line by line. */
function eventsOf(...lines: string[]): JsonObject[] {
  const found: JsonObject[] = [];
  const stream = new EventStream((event) => found.push(event));
  for (const line of lines) stream.take(line);
  return found;
}

const says = { type: 'assistant', message: { content: [{ type: 'text', text: 'He said "{a}".' }] } };
const limit = { type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } };
const result = { usage: { in: 1 }, subtype: 'success', type: 'result' };
const [a, b, c] = [says, limit, result].map((event) => JSON.stringify(event)) as [string, string, string];

describe('an event is found', () => {
  test.each([
    ['a title before it', `\u001b]0;* Claude Code {1}\u0007${c}`],
    ['a title that ends with ST', `\u001b]2;a title\u001b\\${c}`],
    ['a title without an end', `\u001b]0;a title${c}`],
    ['a title without an end behind it', `${c}\u001b]0;a title`],
    ['a sequence that was cut before it', `\u001b[${c}`],
    ['colours around it', `\u001b[1;32m${c}\u001b[0m`],
    ['the cursor hidden and pasting bracketed', `\u001b[?25l\u001b[?2004h${c}\u001b[?25h\u001b[K`],
    ['bells', `\u0007${c}\u0007`],
    ['a byte order mark', `\ufeff${c}`],
    ['a progress line that it overwrites', `Working {50 %}\r\u001b[2K${c}`],
    ['carriage returns', `\r${c}\r`],
    ['NUL', `\u0000${c}\u0000`],
    ['words before it', `Loaded credentials. ${c}`],
    ['words after it', `${c} Bye.`],
    ['words in braces before it', `{a} { b } {"c"} ${c}`],
    ['an object that is no event before it', `{"a":{"b":1}} ${c}`],
    ['a sequence in the middle of a key', c.replace('subtype', 'sub\u001b[0mtype')],
    ['a title in the middle of a string', c.replace('success', 'succ\u001b]0;a title\u0007ess')],
    ['a sequence between two fields', c.replace(',', '\u001b[0m,\t')],
  ])('with %s', (_, line) => {
    expect(eventsOf(line)).toEqual([result]);
  });

  test('with others on its line', () => {
    expect(eventsOf(a + b + c)).toEqual([says, limit, result]);
    expect(eventsOf(`${a} and ${b}, then ${c}.`)).toEqual([says, limit, result]);
  });

  test('wherever another one is printed into it, except where it may be a part of it', () => {
    for (let at = 1; at < a.length; at += 1) {
      const [before, after] = [a.slice(0, at), a.slice(at)];
      const isValue = /[:[,]$/.test(before);
      const isInList = before.endsWith('}') && /^[\]}]/.test(after);
      expect(eventsOf(before + b + after), `in one line at ${at}`).toEqual(
        isValue || isInList ? [] : [limit, says],
      );
      expect(eventsOf(before + b, after), `in two lines at ${at}`).toEqual(isValue ? [] : [limit, says]);
    }
  });

  test('when its line is broken up anywhere', () => {
    for (let at = 1; at < a.length; at += 1) {
      const [before, after] = [a.slice(0, at), a.slice(at)];
      expect(eventsOf(before, after, c), `at ${at}`).toEqual([says, result]);
      expect(eventsOf(before, b, 'Warning: slow', after), `around others at ${at}`).toEqual([limit, says]);
    }
  });

  test('when several are printed into it', () => {
    const [before, after] = [a.slice(0, 60), a.slice(60)];
    expect(eventsOf(`${before}${b}${c}`, after)).toEqual([limit, result, says]);
    expect(eventsOf(before + b + after + c)).toEqual([limit, says, result]);
  });
});

describe('no event is found', () => {
  test.each([
    ['in a string', JSON.stringify({ type: 'user', content: `the file says ${c}` })],
    ['in a part of an event', JSON.stringify({ type: 'user', part: result, parts: [result] })],
  ])('%s', (_, line) => {
    expect(eventsOf(line)).toEqual([JSON.parse(line)]);
    // Nor where the rest of the line is missing.
    for (let at = 1; at < line.length; at += 1) expect(eventsOf(line.slice(0, at)), `${at}`).toEqual([]);
  });

  test('in JSON that names no type, unless it is the whole line', () => {
    expect(eventsOf('failed: {"error":{"code":429}}')).toEqual([]);
    expect(eventsOf('{"error":{"code":429}}')).toEqual([{ error: { code: 429 } }]);
  });
});

test('the end of a broken line is not waited for without end', () => {
  const between = Array.from({ length: 100 }, () => 'Warning: slow');
  expect(eventsOf(a.slice(0, 60), ...between, a.slice(60))).toEqual([]);
});

test('a line that is made to take long does not', () => {
  const hostile = [
    '{"'.repeat(2e5),
    '{"a":'.repeat(2e5),
    '{'.repeat(2e5),
    '\u001b]'.repeat(2e5),
    '"{"a"'.repeat(2e5),
  ];
  expect(eventsOf(...hostile, c).at(-1)).toEqual(result);
});

test('it never throws, and finds whole lines whatever is between them', () => {
  const noise = fc.oneof(
    fc.string(),
    fc.constantFrom('{', '}', '{"', '"', '\\', '\u001b[', a.slice(0, 50), a.slice(50)),
  );
  fc.assert(
    fc.property(fc.array(noise), (lines) => {
      expect(
        eventsOf(...lines.flatMap((line) => [line, b])).filter(({ type }) => type === limit.type),
      ).toHaveLength(lines.length);
    }),
  );
});
