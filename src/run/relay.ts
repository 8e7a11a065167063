import type { EngineMessage } from '../domain/engine.ts';
import type { Journal } from './journal.ts';

/** Publishes what an engine tells of a workstream that is under way. */
export function relay(journal: Journal, message: EngineMessage, agentId: string, workstreamId: string): void {
  switch (message.type) {
    case 'progress':
      return journal.publish({
        type: 'workstream-progress',
        workstreamId,
        agentId,
        fraction: message.fraction,
        text: message.text,
      });
    case 'log':
      return journal.publish({ type: 'workstream-log', workstreamId, agentId, line: message.line });
    case 'replaced':
      return journal.publish({ type: 'agent-replaced', agentId, why: message.why });
  }
}
