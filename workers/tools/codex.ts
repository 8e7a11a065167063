/** Codex: `codex exec --json`, whose events are lines of JSON. Rules found by running version 0.169.0. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import { isObject, type JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens, type UsageLimit } from '../../src/domain/tool.ts';
import { readRegular } from '../../src/os/regular-file.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import { hasOption, optionValue } from './configured-arguments.ts';
import { Activity, EventStream } from './event-stream.ts';
import { countAt, jsonLine, listAt, objectAt, textAt } from './json-line.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  describeEnd,
  endedEarly,
  lastWords,
  refusalReason,
  toolContext,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { limitOf } from './usage-limit.ts';
import { isBefore } from './version.ts';

/** The first one known to print these events: 0.42 prints others, 0.44 these. */
const FIRST_VERSION = '0.44.0';
/** Characters of a report's text. */
const TEXT = 20_000;
/** Items that are words; every other one is the use of a tool. */
const WORDS = new Set(['agent_message', 'reasoning', 'todo_list', 'error']);

export const codex: ToolAdapter = {
  versionArguments: ['--version'],
  resumes: true,
  refuses: (version) =>
    isBefore(version, FIRST_VERSION)
      ? `its events have another form before ${FIRST_VERSION}, so that its failures could not be told from success`
      : null,
  command,
  reader: (request) => new CodexReader(request),
};

/** A repeated option is an error to it, so that the configuration's replaces ours. */
function command({ settings, prompt, folder, scratch, resume }: ToolRequest): ToolCommand {
  const [file] = settings.command;
  const own = (...names: string[]): boolean => hasOption(settings.args, ...names);
  const args = ['exec', '--json'];
  if (!setsSandbox(settings.args)) args.push('-s', 'workspace-write');
  // Whether the folder is fit to work in was decided before; the check is about trust, not about git.
  if (!own('--skip-git-repo-check')) args.push('--skip-git-repo-check');
  if (!own('-C', '--cd')) args.push('-C', folder);
  if (!own('-o', '--output-last-message')) args.push('-o', join(scratch, 'last-message.txt'));
  if (settings.model !== null && !own('-m', '--model')) args.push('-m', settings.model);
  // Options come before the subcommand.
  const session = resume === null ? [] : ['resume', resume];
  return {
    file,
    args: [...args, ...settings.args, ...session, '-'],
    env: { ...settings.env },
    stdin: prompt,
  };
}

function setsSandbox(args: readonly string[]): boolean {
  return (
    hasOption(args, '-s', '--sandbox', '--dangerously-bypass-approvals-and-sandbox', '--approve-for-me') ||
    args.some((arg) => /(?:^|=)sandbox_mode=/.test(arg))
  );
}

class CodexReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #activity: Activity;
  readonly #events = new EventStream((event) => this.#event(event));
  #threadId: string | null = null;
  #turns = 0;
  /** How the last turn ended; null while it has not. */
  #ending: 'completed' | 'failed' | null = null;
  #error: string | null = null;
  #lastText = '';
  #tokens: Tokens = NO_TOKENS;
  readonly #toolCalls = new Set<string>();
  /** What commands printed that points to a sandbox. */
  readonly #outputs: string[] = [];

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#activity = new Activity(request.folder);
  }

  line(text: string): void {
    this.#events.take(text);
  }

  #event(event: JsonObject): void {
    const item = objectAt(event, 'item');
    switch (textAt(event, 'type') ?? '') {
      case 'thread.started':
        this.#threadId = textAt(event, 'thread_id');
        break;
      case 'turn.started':
        this.#turns += 1;
        this.#ending = null;
        break;
      case 'turn.completed':
        this.#ending = 'completed';
        this.#tokens = readTokens(objectAt(event, 'usage') ?? {});
        break;
      case 'turn.failed':
        this.#ending = 'failed';
        this.#error = textAt(event, 'error', 'message') ?? this.#error;
        break;
      case 'error':
        this.#error = textAt(event, 'message') ?? this.#error;
        break;
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        if (item !== null) this.#item(item);
        break;
      default:
    }
  }

  activity(): string | null {
    return this.#activity.take();
  }

  concluded(): boolean {
    return this.#ending !== null;
  }

  report(): ToolFindings {
    return {
      // Its events name no model; this is the configured one.
      model: optionValue(this.#request.settings.args, '-m', '--model') ?? this.#request.settings.model,
      sessionId: this.#threadId,
      text: firstOf(this.#lastText, TEXT),
      tokens: this.#tokens,
      costUsd: null,
      turns: this.#threadId === null ? null : this.#turns,
      toolCalls: this.#threadId === null ? null : this.#toolCalls.size,
    };
  }

  judge(end: ToolEnd): Failure | null {
    const request = this.#request;
    if (this.#ending === 'completed') return this.#judgeCompleted(end);
    if (this.#ending === 'failed' || this.#error !== null) {
      const words = this.#error ?? `its turn failed and it ended ${describeEnd(end)}`;
      return toolFailure(refusalReason(words, null), request, words, end);
    }
    return endedEarly(request, end, this.#threadId !== null);
  }

  limit(failure: Failure, end: ToolEnd): UsageLimit | null {
    if (this.#ending === 'completed') return null;
    return limitOf(failure, { words: this.#error ?? lastWords(end.tail) });
  }

  lostSession({ tail }: ToolEnd): boolean {
    return this.#threadId === null && /^Error: thread\/resume\b|no rollout found for thread id/m.test(tail);
  }

  #judgeCompleted(end: ToolEnd): Failure | null {
    const request = this.#request;
    const blocked = this.#blockedWrite(end);
    if (blocked?.by === 'read-only') return toolFailure('read-only', request, blocked.words, end);
    if (blocked !== null) {
      const context = toolContext(request, this.#lastText, end);
      return { reason: 'permission-denied', denied: [blocked.words], ...context };
    }
    if (this.#lastText === '' && this.#toolCalls.size === 0) {
      return toolFailure('no-model-answer', request, 'it gave no message and called no tool', end);
    }
    // It had reported its end before it was signalled: a program that does not exit after its work.
    if (end.exitCode === 0 || wasSignalled(end)) return null;
    return toolFailure('tool-error', request, `it ended ${describeEnd(end)} after its last turn`, end);
  }

  #blockedWrite(end: ToolEnd): BlockedWrite | null {
    const { args, env } = this.#request.settings;
    const session = this.#threadId === null ? null : readCodexSession(this.#threadId, env);
    return blockedWrite({
      sandbox: session?.sandbox ?? optionValue(args, '-s', '--sandbox'),
      outputs: session?.outputs ?? this.#outputs,
      tail: end.tail,
    });
  }

  #item(item: JsonObject): void {
    const kind = textAt(item, 'type') ?? '';
    if (kind === 'agent_message') this.#lastText = textAt(item, 'text') ?? this.#lastText;
    if (!WORDS.has(kind)) this.#toolCalls.add(textAt(item, 'id') ?? `unnamed ${this.#toolCalls.size}`);
    const output = textAt(item, 'aggregated_output');
    if (output !== null && output !== '') this.#outputs.push(output);
    showCodexItem(kind, item, this.#activity);
  }
}

function readTokens(usage: JsonObject): Tokens {
  return {
    input: countAt(usage, 'input_tokens'),
    output: countAt(usage, 'output_tokens'),
    cacheRead: countAt(usage, 'cached_input_tokens'),
    cacheWrite: countAt(usage, 'cache_write_input_tokens'),
    reasoning: countAt(usage, 'reasoning_output_tokens'),
  };
}

// Progress from the items of Codex's events.

const VERBS: ReadonlyMap<string, string> = new Map([
  ['add', 'writes'],
  ['delete', 'deletes'],
  ['update', 'edits'],
]);

/** Reports the action of an item to the live progress; items without one, such as warnings, are ignored. */
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

// Whether the sandbox of Codex stopped a write, from all evidence of it.

/** The evidence about the sandbox. */
interface Evidence {
  /** The sandbox in force; null where it is not known. */
  sandbox: string | null;
  /** What commands and patches returned to the model. */
  outputs: readonly string[];
  /** The end of what the program printed. */
  tail: string;
}

export interface BlockedWrite {
  /** The whole sandbox is read-only, or only this write was not permitted. */
  by: 'read-only' | 'permission';
  /** The program's own words, one line. */
  words: string;
}

/** A patch that was refused, as the model and the program's log see it. */
const REJECTED = [/^patch rejected: (.+)/, /ERROR codex_core\S* error=patch rejected: (.+)/m];
/** Printed by a command that could not write; any command may print it, so it counts in a read-only sandbox only. */
const READ_ONLY = /Read-only file system|\bEROFS\b|Operation not permitted/;

/** The first write that was stopped; null for none that is known. */
export function blockedWrite({ sandbox, outputs, tail }: Evidence): BlockedWrite | null {
  for (const text of [...outputs, tail]) {
    for (const rejected of REJECTED) {
      const words = rejected.exec(text)?.[1];
      if (words !== undefined) return { by: words.includes('read-only') ? 'read-only' : 'permission', words };
    }
  }
  if (sandbox !== 'read-only') return null;
  for (const output of outputs) {
    const words = output.split('\n').find((line) => READ_ONLY.test(line));
    if (words !== undefined) return { by: 'read-only', words: words.trim() };
  }
  return null;
}

// The session file that Codex keeps of its work. Version 0.169 leaves a command that its sandbox stopped out of its
// events altogether, so that only this file shows that a write was blocked.

/** Days back that a session may have begun; a folder for each. */
const DAYS = 3;
/** A longer session file is not read. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface CodexSession {
  /** The sandbox that was in force: `read-only`, `workspace-write`, `danger-full-access`; null when not said. */
  sandbox: string | null;
  /** What each command and patch returned to the model. */
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
    // It has no session files, or none that may be read.
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
