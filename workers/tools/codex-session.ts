/**
 * The session file that Codex keeps of its work. Version 0.169 leaves a command that its sandbox stopped out of its
 * events altogether, so that this file alone tells of a write that was blocked.
 */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/domain/json.ts';
import { readRegular } from '../../src/support/regular-file.ts';
import { jsonLine, objectAt, textAt } from './json-line.ts';

/** Days back that a session may have begun; a folder for each. */
const DAYS = 3;
/** A session that is longer tells nothing. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface CodexSession {
  /** The sandbox that was in force: `read-only`, `workspace-write`, `danger-full-access`; null when not said. */
  sandbox: string | null;
  /** What the model was told of each of its commands and patches. */
  outputs: string[];
}

/**
 * Reads the session of a thread. Null where there is none: `--ephemeral`, or another home than the environment says.
 * `env` is what the program's environment has beyond this process's own.
 */
export function readCodexSession(threadId: string, env: Record<string, string>): CodexSession | null {
  const home = env['CODEX_HOME'] ?? process.env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex');
  const text = sessionText(join(home, 'sessions'), threadId);
  if (text === null) return null;
  const session: CodexSession = { sandbox: null, outputs: [] };
  for (const line of text.split('\n')) {
    const entry = jsonLine(line);
    if (entry !== null) takeEntry(session, entry);
  }
  return session;
}

function takeEntry(session: CodexSession, entry: JsonObject): void {
  const payload = objectAt(entry, 'payload');
  if (payload === null) return;
  if (textAt(entry, 'type') === 'turn_context') {
    session.sandbox = textAt(payload, 'sandbox_policy', 'type') ?? session.sandbox;
  }
  const kind = textAt(payload, 'type');
  const output = textAt(payload, 'output');
  if (output !== null && (kind === 'function_call_output' || kind === 'custom_tool_call_output')) {
    session.outputs.push(output);
  }
}

/** The text of `sessions/YEAR/MONTH/DAY/rollout-TIME-THREAD.jsonl`, looked for in the newest days. */
function sessionText(sessions: string, threadId: string): string | null {
  try {
    for (const day of newest(sessions, 3).slice(0, DAYS)) {
      const name = readdirSync(day).find((file) => file.endsWith(`-${threadId}.jsonl`));
      if (name !== undefined) return readRegular(join(day, name), MOST_BYTES).toString();
    }
    return null;
  } catch {
    // It has no session files, or none that may be read: what they would tell is then not known.
    return null;
  }
}

/** Folders `depth` levels down, newest first, of those with numbers for names. A day has few beside it. */
function newest(folder: string, depth: number): string[] {
  if (depth === 0) return [folder];
  const names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const name of names.toSorted((a, b) => Number(b) - Number(a))) {
    found.push(...newest(join(folder, name), depth - 1));
    if (found.length >= DAYS) break;
  }
  return found;
}
