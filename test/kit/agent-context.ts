import type { AgentContext } from '../../src/run/attempt/attempt-runner.ts';

/** The context of agent-1 of a run that is not interrupted. */
export const agentContext = (): AgentContext => ({
  agent: 0,
  agentId: 'agent-1',
  signal: new AbortController().signal,
  runSignal: new AbortController().signal,
  interruption: () => null,
  stoppedBy: () => null,
  onMessage: () => undefined,
});
