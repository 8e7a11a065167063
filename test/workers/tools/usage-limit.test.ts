import { describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/domain/failure.ts';
import { limitOf, limitSentence } from '../../../workers/tools/usage-limit.ts';

const failure: Failure = { reason: 'tool-error', tool: 'agent', detail: 'x', tail: '', log: null };

describe('the sentence of a limit', () => {
  test.each([
    ['window', "You've hit your limit · resets 2pm (Asia/Shanghai)"],
    ['window', 'You’ve hit your weekly limit · resets Oct 9 at 5pm (UTC)'],
    ['window', "You've hit your session limit"],
    ['window', 'Claude AI usage limit reached|1784500000'],
    ['window', '5-hour limit reached ∙ resets 3pm'],
    ['window', "You're out of extra usage · resets 3pm (Europe/Berlin)"],
    [
      'window',
      "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 5 days 22 hours 11 minutes.",
    ],
    ['window', "You've hit your usage limit. Try again at Jul 23rd, 2026 4:15 AM."],
    ['window', "You've hit your usage limit for gpt-5-codex. Please try again at 3:05 PM."],
    ['window', 'You have exhausted your capacity on this model. Your quota will reset after 111h9m43s.'],
    ['window', 'Your quota will reset after 2h.'],
    ['window', 'Quota exhausted for this model. Resets in 2h39m52s'],
    ['window', 'Resets in 2h39m52s'],
    ['rate', 'exceeded retry limit, last status: 429 Too Many Requests, request id: abc'],
    [
      'rate',
      'Rate limit reached for gpt-5 in organization org-1 on tokens per min (TPM): Limit 30000. Please try again in 11.054s.',
    ],
    ['rate', 'litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached for gpt-4o'],
    ['rate', "API Error: This request would exceed your organization's rate limit of 50 requests per minute"],
    ['cap', 'Credit balance is too low'],
    ['cap', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.'],
    ['cap', 'You exceeded your current quota, please check your plan and billing details.'],
    ['cap', 'Quota exceeded. Check your plan and billing details.'],
    ['cap', "You have reached your organization's monthly usage limit."],
  ] as const)('is one of the class %s: %s', (kind, text) => {
    expect(limitSentence(text)?.class).toBe(kind);
    expect(limitSentence(`something else\n  ${text}\n`)?.class).toBe(kind);
  });

  test.each([
    'Handle the message "You\'ve hit your limit · resets 2pm" in the parser',
    "When a user sees You've hit your limit, show a countdown",
    "You've hit your limit of patience with this task, but go on",
    'Add a test for: Rate limit reached for gpt-5',
    'The credit balance is too low to matter',
    'Explain how the usage limit reached|1784500000 line is parsed',
    'It says that it resets in 2 hours when the cache expires',
    'your quota will reset after lunch',
    'The rate limiter of src/limit.ts: too many requests are refused',
  ])('is not in prose: %s', (text) => {
    expect(limitSentence(text)).toBeNull();
  });
});

describe('a limit', () => {
  const now = Date.parse('2026-07-19T10:00:00Z');

  test('is known by its sentence, with its time', () => {
    expect(limitOf(failure, { words: 'Resets in 2h' }, now)).toEqual({
      class: 'window',
      resetsAt: now + 7_200_000,
      exact: false,
      text: 'Resets in 2h',
    });
  });

  test('is known by its status where its words say nothing', () => {
    expect(limitOf(failure, { words: 'no', status: 429 })).toMatchObject({ class: 'rate', resetsAt: null });
    expect(limitOf(failure, { words: 'no', status: 402 })).toMatchObject({ class: 'cap' });
    expect(limitOf(failure, { words: 'no', status: 500 })).toBeNull();
  });

  test('has the time that is given as a number rather than that of its words', () => {
    const limit = limitOf(failure, { words: 'Resets in 2h', resetsAt: now + 5 }, now);
    expect(limit).toMatchObject({ resetsAt: now + 5, exact: true });
  });

  test('is a matter of the login where that was refused', () => {
    const refused: Failure = { ...failure, reason: 'tool-not-logged-in' };
    expect(limitOf(refused, { words: 'Please run /login', status: 429 })).toMatchObject({ class: 'auth' });
  });

  test('is none for other errors', () => {
    expect(limitOf(failure, { words: 'Something broke' })).toBeNull();
  });
});
