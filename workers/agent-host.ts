/** What an agent knows of the place it lives in. */
import type { FromAgent } from '../src/domain/agent-message.ts';
import type { Launcher } from './launcher.ts';

export interface AgentHost {
  /** A thread executes many assignments, a process one. */
  place: 'thread' | 'process';
  /** Starts commands elsewhere; null for an agent that starts them itself. */
  launcher: Launcher | null;
  /** pino level of `context.log`. */
  logLevel: string;
  /** To the coordinator. */
  send(message: FromAgent): void;
}
