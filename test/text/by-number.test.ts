import { expect, test } from 'vitest';
import { byNumber } from '../../src/text/by-number.ts';
import { seededRandom } from '../kit/random.ts';

test('agents are in the order of their numbers', () => {
  expect(['agent-10', 'agent-2', 'agent-1'].toSorted(byNumber)).toEqual(['agent-1', 'agent-2', 'agent-10']);
  expect(['b/agent-1', 'a/agent-11', 'a/agent-9'].toSorted(byNumber)).toEqual([
    'a/agent-9',
    'a/agent-11',
    'b/agent-1',
  ]);
});

test('any two names compare as a numeric collator compares them', () => {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const random = seededRandom(7);
  const parts = ['agent-', 'a', 'ä', '/', '.', '\n', '-', '0', '1', '07', '12', '99999999999999999', ''];
  const name = (): string =>
    Array.from(
      { length: 1 + Math.floor(random() * 4) },
      () => parts[Math.floor(random() * parts.length)],
    ).join('');
  for (let round = 0; round < 5_000; round += 1) {
    const [one, other] = [name(), name()];
    expect(Math.sign(byNumber(one, other)), JSON.stringify([one, other])).toBe(
      Math.sign(compare(one, other)),
    );
  }
});
