import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../workers/processes/line-splitter.ts';

function split(chunks: Buffer[], maxBytes?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxBytes);
  for (const chunk of chunks) splitter.take(chunk);
  splitter.end();
  return lines;
}

test('lines are the same however the bytes come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''))),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat({ max: 20 })),
      (lines, lineEnd, sizes) => {
        const bytes = Buffer.from(lines.map((line) => line + lineEnd).join(''));
        const chunks: Buffer[] = [];
        let from = 0;
        for (const size of sizes) {
          chunks.push(bytes.subarray(from, from + size));
          from += size;
        }
        chunks.push(bytes.subarray(from));
        expect(split(chunks)).toEqual(lines);
      },
    ),
  );
});

test('what comes after the last line end is a line', () => {
  expect(split([Buffer.from('a\n\nb')])).toEqual(['a', '', 'b']);
  expect(split([])).toEqual([]);
});

test('only the beginning of a long line is held, and the next line is whole', () => {
  const chunks = ['12345', '67', '8\nabc\n'].map((text) => Buffer.from(text));
  expect(split(chunks, 6)).toEqual(['123456', 'abc']);
});

test('an unfinished line is given before its end only if it may be an object', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const text of ['word', '{"a":1}']) {
    splitter.take(Buffer.from(text));
    splitter.endObject();
  }
  splitter.take(Buffer.from('\nb'));
  splitter.end();
  expect(lines).toEqual(['word{"a":1}', '', 'b']);
});

test('a long line is cut between characters, however it comes', () => {
  const bytes = Buffer.from('1é🎉x\nabc\n');
  for (let most = 0; most <= 8; most += 1)
    for (let at = 0; at < bytes.length; at += 1) {
      const lines = split([bytes.subarray(0, at), bytes.subarray(at)], most);
      const wanted = ['', '1', '1', '1é', '1é', '1é', '1é', '1é🎉', '1é🎉x'][most];
      expect([most, at, lines]).toEqual([most, at, [wanted, 'abc'.slice(0, most)]]);
    }
});
