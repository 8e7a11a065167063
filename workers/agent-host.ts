/** What an agent knows of the place it lives in. */
import type { FromAgent } from '../src/domain/agent-message.ts';

export interface AgentHost {
  /** A thread executes many assignments, a process one. */
  place: 'thread' | 'process';
  /** pino level of `context.log`. */
  logLevel: string;
  /** To the coordinator. */
  send(message: FromAgent): void;
}
