/** What an agent knows of the place it lives in. */
import type { FromAgent } from '../src/domain/agent-message.ts';
import type { Launcher } from './processes/launcher.ts';
import type { Redactor } from '../src/secrets/redactor.ts';

export interface AgentHost {
  /** A thread executes many assignments, a process one. */
  place: 'thread' | 'process';
  /** Starts commands elsewhere; null for an agent that starts them itself. */
  launcher: Launcher | null;
  /** pino level of `context.log`. */
  logLevel: string;
  /** Everything that comes from a workstream goes through it before it is kept, cut or sent. */
  redactor: Redactor;
  /** To the coordinator. */
  send(message: FromAgent): void;
}
