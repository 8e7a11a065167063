/** Claude Code: `claude -p`, whose events are lines of JSON. Rules found by running version 2.1.330. */
import type { Failure } from '../../src/domain/failure.ts';
import { isObject, type Json, type JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens, type UsageLimit } from '../../src/domain/tool.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import { oneLine } from '../../src/text/printable.ts';
import { hasOption } from './configured-arguments.ts';
import { Activity, EventStream } from './event-stream.ts';
import { amountAt, countAt, listAt, numberAt, objectAt, textAt } from './json-line.ts';
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

/** Characters of a report's text. */
const TEXT = 20_000;
/** Longest description of a denial in characters. */
const DENIED = 200;
/** The model's name in messages that the program itself wrote, such as errors. */
const SYNTHETIC = '<synthetic>';

export const claude: ToolAdapter = {
  versionArguments: ['--version'],
  resumes: true,
  refuses: (version) =>
    isBefore(version, '1.0.51')
      ? 'it has no option --session-id and no --permission-mode up to version 1.0.50'
      : null,
  command,
  reader: (request) => new ClaudeReader(request),
};

/** The configuration's arguments come last: of a repeated option the last one counts. */
function command({ settings, prompt, sessionId, resume, budgetUsd }: ToolRequest): ToolCommand {
  const [file] = settings.command;
  const args = ['-p', '--output-format', 'stream-json', '--verbose', '--permission-mode', 'acceptEdits'];
  // A session that is continued has its id already.
  if (!hasOption(settings.args, '--session-id', '--resume', '-r', '--continue', '-c')) {
    args.push(...(resume === null ? ['--session-id', sessionId] : ['--resume', resume]));
  }
  if (budgetUsd !== null) args.push('--max-budget-usd', String(budgetUsd));
  if (settings.model !== null) args.push('--model', settings.model);
  return { file, args: [...args, ...settings.args], env: { ...settings.env }, stdin: prompt };
}

class ClaudeReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #activity: Activity;
  readonly #events = new EventStream((event) => this.#event(event));
  /** The last event that says how the work went; a session that was woken again has more than one. */
  #result: JsonObject | null = null;
  #began = false;
  /** Whether a turn is under way whose result has not come. */
  #isAtWork = false;
  /** Commands and agents of its own that it waits for, and whose end wakes it again. */
  #backgroundTasks = 0;
  #sessionId: string | null = null;
  #model: string | null = null;
  #lastText = '';
  /** What kind of error the program calls the last one of its model. */
  #errorKind: string | null = null;
  /** When a limit of the account passes, in milliseconds since 1970; null where its last word is that there is none. */
  #rejectedUntil: number | null = null;
  #isRejected = false;
  readonly #toolCalls = new Set<string>();
  readonly #denied = new Map<string, string>();

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#activity = new Activity(request.folder);
  }

  line(text: string): void {
    this.#events.take(text);
  }

  #event(event: JsonObject): void {
    this.#sessionId = textAt(event, 'session_id') ?? this.#sessionId;
    switch (textAt(event, 'type') ?? '') {
      case 'system':
        this.#began = true;
        this.#system(event);
        break;
      case 'assistant':
        this.#began = true;
        this.#message(event);
        break;
      case 'result':
        this.#began = true;
        this.#isAtWork = false;
        this.#result = event;
        for (const denial of listAt(event, 'permission_denials')) this.#denial(denial);
        break;
      case 'rate_limit_event':
        this.#rateLimit(objectAt(event, 'rate_limit_info') ?? {});
        break;
      default:
    }
  }

  /** Comes with every answer; fields may be missing. */
  #rateLimit(info: JsonObject): void {
    const status = textAt(info, 'status');
    if (status === null) return;
    this.#isRejected = status === 'rejected';
    const seconds = this.#isRejected ? countAt(info, 'resetsAt') : null;
    this.#rejectedUntil = seconds === null ? null : seconds * 1000;
  }

  activity(): string | null {
    return this.#activity.take();
  }

  concluded(): boolean {
    return this.#result !== null && !this.#isAtWork && this.#backgroundTasks === 0;
  }

  report(): ToolFindings {
    const result = this.#result;
    const said = result !== null && result['is_error'] !== true ? textAt(result, 'result') : null;
    return {
      model: this.#model,
      sessionId: this.#sessionId,
      text: firstOf(said === null || said === '' ? this.#lastText : said, TEXT),
      tokens: claudeTokens(result),
      costUsd: result === null ? null : amountAt(result, 'total_cost_usd'),
      turns: result === null ? null : countAt(result, 'num_turns'),
      toolCalls: this.#began ? this.#toolCalls.size : null,
    };
  }

  judge(end: ToolEnd): Failure | null {
    const request = this.#request;
    const result = this.#result;
    if (result === null || this.#isAtWork) return endedEarly(request, end, this.#began);
    const failure = this.#judgeResult(result, end);
    if (failure !== null) return failure;
    if (this.#denied.size > 0) {
      const denied = [...this.#denied.values()];
      const detail = textAt(result, 'result') ?? '';
      return { reason: 'permission-denied', denied, ...toolContext(request, detail, end) };
    }
    if (this.#lastText === '' && this.#toolCalls.size === 0 && !textAt(result, 'result')) {
      return toolFailure('no-model-answer', request, 'its result is empty and it called no tool', end);
    }
    if (countAt(result, 'num_turns') === 0)
      return toolFailure('no-model-answer', request, 'it ended without a turn', end);
    // It had reported its end before it was signalled: a program that does not exit after its work.
    if (end.exitCode === 0 || wasSignalled(end)) return null;
    return toolFailure('tool-error', request, `it ended ${describeEnd(end)} after its result`, end);
  }

  limit(failure: Failure, end: ToolEnd): UsageLimit | null {
    const result = this.#result;
    if (failure.reason === 'tool-limit' || failure.reason === 'permission-denied') return null;
    const words = result === null ? lastWords(end.tail) : wordsOf(result);
    const status = result === null ? null : numberAt(result, 'api_error_status');
    const isLimited = this.#isRejected || this.#errorKind === 'rate_limit';
    const otherwise = this.#errorKind === 'billing_error' ? 'cap' : isLimited ? 'window' : null;
    return limitOf(failure, { words, status, resetsAt: this.#rejectedUntil, otherwise });
  }

  lostSession(): boolean {
    const errors = this.#result === null ? [] : listAt(this.#result, 'errors');
    return errors.some((text) => typeof text === 'string' && text.startsWith('No conversation found'));
  }

  /** What the final event itself says. An error of the model is called `success` there, and only `is_error` tells. */
  #judgeResult(result: JsonObject, end: ToolEnd): Failure | null {
    const subtype = textAt(result, 'subtype') ?? '';
    const ending = textAt(result, 'terminal_reason') ?? '';
    const words = wordsOf(result).replaceAll('\n', '; ');
    if (ending.startsWith('aborted')) {
      const detail = `it was interrupted and ended ${describeEnd(end)} (${ending})`;
      return toolFailure('tool-interrupted', this.#request, detail, end);
    }
    if (subtype === 'error_max_turns' || subtype === 'error_max_budget_usd') {
      return toolFailure('tool-limit', this.#request, words || subtype, end);
    }
    if (saysSuccess(result)) return null;
    const status = numberAt(result, 'api_error_status');
    const reason = reasonOfKind(this.#errorKind) ?? refusalReason(words, status);
    return toolFailure(reason, this.#request, words || verdictOf(result), end);
  }

  #system(event: JsonObject): void {
    switch (textAt(event, 'subtype') ?? '') {
      case 'init':
        this.#isAtWork = true;
        this.#model = textAt(event, 'model');
        break;
      case 'background_tasks_changed':
        this.#backgroundTasks = listAt(event, 'tasks').length;
        break;
      default:
    }
  }

  #message(event: JsonObject): void {
    // A subagent may go on in the background after the result.
    if (textAt(event, 'parent_tool_use_id') === null) this.#isAtWork = true;
    const synthetic = textAt(event, 'message', 'model') === SYNTHETIC;
    // Null again when the model answers after an error.
    this.#errorKind = textAt(event, 'error');
    if (!synthetic) this.#model = textAt(event, 'message', 'model') ?? this.#model;
    for (const block of listAt(event, 'message', 'content')) {
      if (!isObject(block)) continue;
      const text = textAt(block, 'text');
      if (textAt(block, 'type') === 'tool_use') this.#toolUse(block);
      else if (textAt(block, 'type') === 'text' && text !== null && text.trim() !== '') {
        this.#activity.says(text);
        // What a subagent says is not the answer.
        if (!synthetic && textAt(event, 'parent_tool_use_id') === null) this.#lastText = text;
      }
    }
  }

  #toolUse(block: JsonObject): void {
    this.#toolCalls.add(textAt(block, 'id') ?? `unnamed ${this.#toolCalls.size}`);
    const { verb, what } = describeToolUse(textAt(block, 'name') ?? '', objectAt(block, 'input') ?? {});
    this.#activity.does(verb, what);
  }

  #denial(denial: Json): void {
    if (!isObject(denial)) return;
    const name = textAt(denial, 'tool_name') ?? 'a tool';
    const { what } = describeToolUse(name, objectAt(denial, 'tool_input') ?? {});
    const id = textAt(denial, 'tool_use_id') ?? String(this.#denied.size);
    this.#denied.set(id, oneLine(what === null ? name : `${name} ${what}`, DENIED));
  }
}

/** What its final event says of its error, a line for each. */
const wordsOf = (result: JsonObject): string =>
  [textAt(result, 'result'), ...listAt(result, 'errors')]
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .join('\n');

/** Each of the two fields may be missing, but not both, and neither may say anything else. */
function saysSuccess(result: JsonObject): boolean {
  const { subtype, is_error: isError } = result;
  if (subtype === undefined) return isError === false;
  return subtype === 'success' && (isError === undefined || isError === false);
}

/** The detail for a result without a message. */
function verdictOf(result: JsonObject): string {
  const said = [textAt(result, 'subtype'), textAt(result, 'terminal_reason')].filter((part) => part !== null);
  return said.join(' ') || 'its result says neither success nor failure';
}

/** The program's own words for kinds of errors, of which two are Millrace's too. */
function reasonOfKind(kind: string | null): 'tool-quota' | 'tool-not-logged-in' | null {
  switch (kind ?? '') {
    case 'rate_limit':
    case 'billing_error':
      return 'tool-quota';
    case 'authentication_failed':
    case 'oauth_org_not_allowed':
    case 'account_on_hold':
    case 'verification_required':
    case 'cloud_credential_error':
      return 'tool-not-logged-in';
    default:
      return null;
  }
}

/** Tools whose use has a better description than their name: a verb, and the field with the object. */
const TOOLS: ReadonlyMap<string, readonly [verb: string, field: string]> = new Map([
  ['Bash', ['runs', 'command']],
  ['Edit', ['edits', 'file_path']],
  ['MultiEdit', ['edits', 'file_path']],
  ['Write', ['writes', 'file_path']],
  ['NotebookEdit', ['edits', 'notebook_path']],
  ['Read', ['reads', 'file_path']],
  ['Glob', ['looks for', 'pattern']],
  ['Grep', ['searches for', 'pattern']],
  ['WebFetch', ['fetches', 'url']],
  ['WebSearch', ['searches the web for', 'query']],
  ['Task', ['starts an agent to', 'description']],
  ['Agent', ['starts an agent to', 'description']],
]);

function describeToolUse(name: string, input: JsonObject): { verb: string; what: string | null } {
  const [verb, field] = TOOLS.get(name) ?? [`uses ${name}`, ''];
  return { verb, what: textAt(input, field) };
}

// The tokens that Claude Code says it used.

/**
 * Tokens of a final event. `modelUsage` counts every model and the subagents too; `usage` counts the main
 * conversation only, and is all zeros when the limit of cost was reached, so it is used only where there is no other.
 * The input that Anthropic counts is what came from no cache and went to none; here it is all of it.
 */
export function claudeTokens(result: JsonObject | null): Tokens {
  if (result === null) return NO_TOKENS;
  const models = Object.values(objectAt(result, 'modelUsage') ?? {}).filter(isObject);
  if (models.length > 0) {
    const sum = (key: string): number | null => total(models.map((model) => countAt(model, key)));
    return counted({
      input: sum('inputTokens'),
      output: sum('outputTokens'),
      cacheRead: sum('cacheReadInputTokens'),
      cacheWrite: sum('cacheCreationInputTokens'),
      reasoning: sum('thinkingTokens'),
    });
  }
  const usage = objectAt(result, 'usage');
  if (usage === null) return NO_TOKENS;
  return counted({
    input: countAt(usage, 'input_tokens'),
    output: countAt(usage, 'output_tokens'),
    cacheRead: countAt(usage, 'cache_read_input_tokens'),
    cacheWrite: countAt(usage, 'cache_creation_input_tokens'),
    reasoning: countAt(usage, 'output_tokens_details', 'thinking_tokens'),
  });
}

/** The same with the cached input counted as input. */
function counted(tokens: Tokens): Tokens {
  const { input, cacheRead, cacheWrite } = tokens;
  return { ...tokens, input: input === null ? null : input + (cacheRead ?? 0) + (cacheWrite ?? 0) };
}

/** The sum of the known values; null where none is. */
function total(counts: (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
}
