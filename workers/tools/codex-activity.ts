/** What an item of Codex's events says of its present work. */
import type { JsonObject } from '../../src/domain/json.ts';
import type { Activity } from './activity.ts';
import { isObject, listAt, textAt } from './json-line.ts';

const VERBS: ReadonlyMap<string, string> = new Map([
  ['add', 'writes'],
  ['delete', 'deletes'],
  ['update', 'edits'],
]);

/** Gives an item's doing to the live progress; items that do nothing, such as warnings, are passed over. */
export function showCodexItem(kind: string, item: JsonObject, activity: Activity): void {
  switch (kind) {
    case 'agent_message':
    case 'reasoning':
      activity.says(textAt(item, 'text') ?? '');
      break;
    case 'command_execution':
      activity.does('runs', withoutShell(textAt(item, 'command') ?? 'a command'));
      break;
    case 'file_change': {
      const change = listAt(item, 'changes').find(isObject);
      if (change !== undefined) {
        activity.does(VERBS.get(textAt(change, 'kind') ?? '') ?? 'changes', textAt(change, 'path'));
      }
      break;
    }
    case 'mcp_tool_call':
      activity.does('uses', `${textAt(item, 'server') ?? ''} ${textAt(item, 'tool') ?? ''}`.trim());
      break;
    case 'web_search':
      activity.does('searches the web for', textAt(item, 'query'));
      break;
    default:
  }
}

/** `npm test` of `/bin/bash -lc 'npm test'`. */
function withoutShell(command: string): string {
  const line = /^\S*sh -l?c (.*)$/s.exec(command)?.[1] ?? command;
  return /^'([^']*)'$/.exec(line)?.[1] ?? /^"([^"]*)"$/.exec(line)?.[1] ?? line;
}
