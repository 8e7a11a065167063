import { expect, test } from 'vitest';
import { NO_TOKENS, type ToolReport } from '../../src/domain/tool.ts';
import { Budget, costOf } from '../../src/run/budget.ts';

const report = (tool: string, costUsd: number | null): ToolReport => ({
  tool,
  version: null,
  model: null,
  sessionId: null,
  text: '',
  tokens: NO_TOKENS,
  costUsd,
  turns: null,
  toolCalls: null,
  durationSeconds: 1,
});

test('nothing is started once the money is spent', () => {
  const budget = new Budget(1);
  budget.spend(0.75);
  expect(budget.refusal()).toBeNull();
  budget.spend(0.5);
  expect(budget.refusal()).toEqual({ reason: 'budget-exceeded', of: 'run', limitUsd: 1, spentUsd: 1.25 });
  expect(new Budget(null).refusal()).toBeNull();
});

test('an attempt may spend the least of what is left of both limits', () => {
  const budget = new Budget(2);
  budget.spend(1.5);
  expect(budget.forAttempt({ limitUsd: null, spentUsd: 0 })).toBe(0.5);
  expect(budget.forAttempt({ limitUsd: 1, spentUsd: 0.75 })).toBe(0.25);
  expect(budget.forAttempt({ limitUsd: 1, spentUsd: 3 })).toBe(0);
  expect(new Budget(null).forAttempt({ limitUsd: null, spentUsd: 9 })).toBeNull();
});

test('what is known of the cost is summed up, and who did not say is named once', () => {
  expect(costOf([report('claude', 0.5), report('codex', null), report('codex', null)])).toEqual({
    knownUsd: 0.5,
    unknown: ['codex'],
  });
  expect(costOf([report('codex', null)]).knownUsd).toBeNull();
});
