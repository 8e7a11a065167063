import { expect, test } from 'vitest';
import { NO_TOKENS, type ToolReport } from '../../../src/domain/tool.ts';
import { Budget, costOf } from '../../../src/run/attempt/ledgers.ts';

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
  limit: null,
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

test('an attempt is told of both limits, that of which least is left first', () => {
  const budget = new Budget(2);
  budget.spend(1.5);
  const run = { of: 'run', limitUsd: 2, spentUsd: 1.5 };
  expect(budget.forAttempt({ limitUsd: null, spentUsd: 0 })).toEqual([run]);
  const little = { of: 'workstream', limitUsd: 1, spentUsd: 0.75 };
  expect(budget.forAttempt({ limitUsd: 1, spentUsd: 0.75 })).toEqual([little, run]);
  const much = { of: 'workstream', limitUsd: 9, spentUsd: 3 };
  expect(budget.forAttempt({ limitUsd: 9, spentUsd: 3 })).toEqual([run, much]);
  expect(new Budget(null).forAttempt({ limitUsd: null, spentUsd: 9 })).toEqual([]);
});

test('what is known of the cost is summed up, and who did not say is named once', () => {
  expect(costOf([report('claude', 0.5), report('codex', null), report('codex', null)])).toEqual({
    knownUsd: 0.5,
    unknown: ['codex'],
  });
  expect(costOf([report('codex', null)]).knownUsd).toBeNull();
});
