import { Chalk } from 'chalk';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { applyEvent, createBoard } from '../../src/progress/board.ts';
import { frame } from '../../src/progress/frame.ts';
import { ASCII, UNICODE } from '../../src/progress/style.ts';
import { completed, failed, progress, runStarted, START, skipped, started } from '../kit/events.ts';

/** Text as hostile as it comes: any code unit, escapes, wide and combining characters. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        '\u001B[2J',
        '\u009B31m',
        '\r',
        '\n',
        '日',
        '👩‍🚀',
        'é',
        'e\u0301',
        '❤️',
        '\t',
        '\u202E',
        'a ',
      ),
    )
    .map((parts) => parts.join('')),
);

const agent = fc.integer({ min: 1, max: 70 });
const id = fc.oneof(
  text,
  fc.integer({ max: 9 }).map((n) => `ws-${n}`),
);

const event: fc.Arbitrary<RunEvent> = fc.oneof(
  fc
    .tuple(id, agent, fc.nat(1_000), text, fc.integer({ min: 1, max: 3 }))
    .map(([workstreamId, n, seconds, title, attempt]) =>
      started(workstreamId, n, seconds, { title, attempt }),
    ),
  fc
    .tuple(id, agent, fc.option(fc.double({ min: 0, max: 1, noNaN: true })), text)
    .map(([workstreamId, n, fraction, said]) => progress(workstreamId, n, fraction, said)),
  fc
    .tuple(id, agent, fc.double({ min: 0, max: 1e6, noNaN: true }))
    .map(([workstreamId, n, seconds]) => completed(workstreamId, n, seconds)),
  fc.tuple(id, agent, text).map(([workstreamId, n, why]) => failed(workstreamId, n, why)),
  fc.tuple(id, text).map(([workstreamId, why]) => skipped(workstreamId, why)),
  text.map((signal): RunEvent => ({ type: 'interrupting', signal, running: 1 })),
);

test('no line is wider and no frame is taller than the window, and none holds a control character', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 40 }),
      fc.integer({ min: 0, max: 70 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: -10, max: 1_000_000 }),
      fc.boolean(),
      (events, agents, columns, rows, seconds, ascii) => {
        const board = createBoard();
        applyEvent(board, runStarted(10, agents));
        for (const each of events) applyEvent(board, each);
        const lines = frame(board, {
          columns,
          rows,
          now: START + seconds * 1000,
          colour: new Chalk({ level: 0 }),
          glyphs: ascii ? ASCII : UNICODE,
        });
        expect(lines.length).toBeGreaterThan(0);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).toMatch(ascii ? /^[ -~]*$/ : /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u);
        }
      },
    ),
    { numRuns: 300 },
  );
});
