/** Codex: `codex exec --json`, whose events are lines of JSON. Rules found by running version 0.169.0. */
import { join } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens } from '../../src/domain/tool.ts';
import { Activity } from './activity.ts';
import { showCodexItem } from './codex-activity.ts';
import { type BlockedWrite, blockedWrite } from './codex-sandbox.ts';
import { readCodexSession } from './codex-session.ts';
import { hasOption, optionValue } from './configured-arguments.ts';
import { countAt } from './count-at.ts';
import { EventStream } from './event-stream.ts';
import { objectAt, textAt } from './json-line.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  describeEnd,
  endedEarly,
  refusalReason,
  toolContext,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { isBefore } from './version-number.ts';
import { firstOf } from '../../src/support/cut-text.ts';

/** The first one known to print these events: 0.42 prints others, 0.44 these. */
const FIRST_VERSION = '0.44.0';
/** Characters of a report's text. */
const TEXT = 20_000;
/** Items that are words; every other one is the use of a tool. */
const WORDS = new Set(['agent_message', 'reasoning', 'todo_list', 'error']);

export const codex: ToolAdapter = {
  versionArguments: ['--version'],
  refuses: (version) =>
    isBefore(version, FIRST_VERSION)
      ? `its events have another form before ${FIRST_VERSION}, so that its failures could not be told from success`
      : null,
  command,
  reader: (request) => new CodexReader(request),
};

/** An option given twice is an error to it, so that the configuration's takes the place of ours. */
function command({ settings, prompt, folder, scratch }: ToolRequest): ToolCommand {
  const [file] = settings.command;
  const own = (...names: string[]): boolean => hasOption(settings.args, ...names);
  const args = ['exec', '--json'];
  if (!setsSandbox(settings.args)) args.push('-s', 'workspace-write');
  // Whether the folder is fit to work in was decided before; the check is about trust, not about git.
  if (!own('--skip-git-repo-check')) args.push('--skip-git-repo-check');
  if (!own('-C', '--cd')) args.push('-C', folder);
  if (!own('-o', '--output-last-message')) args.push('-o', join(scratch, 'last-message.txt'));
  if (settings.model !== null && !own('-m', '--model')) args.push('-m', settings.model);
  return { file, args: [...args, ...settings.args, '-'], env: { ...settings.env }, stdin: prompt };
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
  /** What commands printed of the words that tell of a sandbox. */
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
      // Its events name no model: this is the one that it was told to ask.
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
    // It had said that it was done before it was signalled: a program that does not end after its work.
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
