/** Lines that make an expression with several ways to match go through all of them. */
import { expect, test } from 'vitest';
import { shapeOf } from '../../../src/analysis/patterns/shape.ts';
import { tellingLine } from '../../../src/analysis/patterns/telling-line.ts';

const UNITS =
  '\'|"|`|[ |{"a":|/a|\\a|\\n|.|a.|1.| |\t|(| ()|1|:|1:|a=|@|f|<*> |<*>|-a|_error|error|Error: |Exception: |' +
  "Command failed: |a. A|*|é|aB1|a1.a|word |a.b:1: |\n|\r|\u001b[|E   |: not found|\nCaused by: a|'a b c' |x| a";

/** Each of them alone, and each pair, repeated to so many characters, with an end that nothing matches. */
function hostileLines(length: number): string[] {
  const units = UNITS.split('|');
  return units.flatMap((one) =>
    ['', ...units.slice(0, 12)].map(
      (other) => `${(one + other).repeat(Math.ceil(length / (one.length + other.length)))}\u0001`,
    ),
  );
}

/** CPU seconds of this process. */
function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const GROWTH = 4;

test.each([
  ['shape', shapeOf, 250],
  ['telling line', tellingLine, 4_000],
] as const)(
  'the %s of a line that is four times as long takes at most some times as long',
  (_, work, length) => {
    const short = hostileLines(length);
    const long = hostileLines(length * GROWTH);
    const all = (lines: string[]): void => lines.forEach((line) => void work(line));
    all(long);
    const ratio = cpuSeconds(() => all(long)) / cpuSeconds(() => all(short));
    // Quadratic work would be 16 times as much, and all that backtracks without end would not return.
    expect(ratio).toBeLessThan(GROWTH * 3);
  },
);

test('what is beyond the part of a message that is read costs nothing', () => {
  const line = "can't open 'a b ";
  const long = line.repeat(1_000_000);
  expect(shapeOf(long)).toBe(shapeOf(line.repeat(1_000)));
});
