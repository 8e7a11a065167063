import { expect, test } from 'vitest';
import compareRegexEngines from '../../../workstreams/tasks/regex-engines.ts';
import { makeContext } from '../make-context.ts';

test('a text on which backtracking would not end is left to the automaton', async () => {
  const input = { pattern: '(a+)+b', lengths: [4, 1000, 1001], patience_ms: 1000 };
  const { output } = await compareRegexEngines(input, makeContext());
  const time = expect.any(Number);
  expect(output).toMatchObject({
    pattern: '(a+)+b',
    results: [
      { letters: 4, backtracking_ms: time, automaton_ms: time },
      { letters: 1000, backtracking_ms: null, automaton_ms: time },
      { letters: 1001, backtracking_ms: null, automaton_ms: time },
    ],
  });
});

test('a pattern that matches is refused', async () => {
  const input = { pattern: 'a+', lengths: [4], patience_ms: 1000 };
  await expect(compareRegexEngines(input, makeContext())).rejects.toThrow(
    'found a match where there is none',
  );
});
