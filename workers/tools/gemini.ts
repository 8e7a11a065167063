/** Gemini CLI: `gemini -o stream-json`, whose events are lines of JSON. Rules found by running version 0.61.0. */
import type { Failure } from '../../src/domain/failure.ts';
import { isObject, type JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens, type UsageLimit } from '../../src/domain/tool.ts';
import { firstOf, lastOf } from '../../src/text/cut-text.ts';
import { hasOption } from './configured-arguments.ts';
import { Activity, EventStream } from './event-stream.ts';
import { countAt, jsonLine, objectAt, textAt } from './json-line.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  DeniedTools,
  describeEnd,
  endedEarly,
  refusalReason,
  type ToolReason,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { limitOf } from './usage-limit.ts';
import { isBefore } from './version.ts';

/** The first one found to have both options: 0.40 has no --session-id, 0.39 no --skip-trust either. */
const FIRST_VERSION = '0.41.0';
/** Exit codes by which it says itself what was wrong. */
const OWN_CODES = { first: 41, last: 55 };
/** Characters of a report's text. */
const TEXT = 20_000;

export const gemini: ToolAdapter = {
  versionArguments: ['--version'],
  resumes: true,
  refuses: (version) =>
    isBefore(version, FIRST_VERSION) ? `it has no option --session-id before ${FIRST_VERSION}` : null,
  command,
  reader: (request) => new GeminiReader(request),
};

/** A repeated option is an error to it, so that the configuration's replaces ours. */
function command({ settings, prompt, sessionId, resume }: ToolRequest): ToolCommand {
  const [file] = settings.command;
  const own = (...names: string[]): boolean => hasOption(settings.args, ...names);
  const args = ['-o', 'stream-json'];
  // Without it the program asks, gets no answer, and does not even offer its model a tool that writes.
  if (!own('--approval-mode', '-y', '--yolo')) args.push('--approval-mode', 'yolo');
  if (!own('--skip-trust')) args.push('--skip-trust');
  // A session that is continued has its id already.
  if (!own('--session-id', '-r', '--resume', '--session-file'))
    args.push(...(resume === null ? ['--session-id', sessionId] : ['--resume', resume]));
  if (settings.model !== null && !own('-m', '--model')) args.push('-m', settings.model);
  return { file, args: [...args, ...settings.args], env: { ...settings.env }, stdin: prompt };
}

class GeminiReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #activity: Activity;
  readonly #events = new EventStream((event) => this.#event(event));
  readonly #denied = new DeniedTools();
  #sessionId: string | null = null;
  #askedModel: string | null = null;
  /** The last message of the model, which comes in pieces. */
  #text = '';
  #textEnded = false;
  /** What ended the work although the final event may call it a success. */
  #stopped: string | null = null;
  #result: JsonObject | null = null;
  #began = false;
  /** Name of each tool that was called, by the id of the call. */
  readonly #calls = new Map<string, string>();

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#activity = new Activity(request.folder);
  }

  line(text: string): void {
    this.#events.take(text);
  }

  #event(event: JsonObject): void {
    switch (textAt(event, 'type') ?? '') {
      case 'init':
        this.#began = true;
        this.#sessionId = textAt(event, 'session_id');
        this.#askedModel = textAt(event, 'model');
        break;
      case 'message':
        if (textAt(event, 'role') === 'assistant') this.#says(event);
        break;
      case 'tool_use':
        this.#toolUse(event);
        break;
      case 'tool_result':
        this.#toolResult(event);
        break;
      case 'error':
        this.#notice(event);
        break;
      case 'result':
        this.#result = event;
        break;
      default:
    }
  }

  activity(): string | null {
    return this.#activity.take();
  }

  concluded(): boolean {
    return this.#result !== null;
  }

  report(): ToolFindings {
    const stats = this.#result === null ? null : objectAt(this.#result, 'stats');
    return {
      model: mostUsedModel(stats) ?? this.#askedModel,
      sessionId: this.#sessionId,
      text: firstOf(this.#text.trim(), TEXT),
      tokens: stats === null ? NO_TOKENS : readTokens(stats),
      costUsd: null,
      turns: null,
      toolCalls: this.#began ? this.#calls.size : null,
    };
  }

  judge(end: ToolEnd): Failure | null {
    const request = this.#request;
    const result = this.#result;
    if (result === null) return this.#judgeNoResult(end);
    if (textAt(result, 'status') !== 'success') return this.#judgeError(result, end);
    if (this.#stopped !== null) {
      const reason = /turns exceeded/i.test(this.#stopped) ? 'tool-limit' : 'tool-error';
      return toolFailure(reason, request, this.#stopped, end);
    }
    const denied = this.#denied.judge(request, end);
    if (denied !== null) return denied;
    if (this.#silent()) {
      return toolFailure('no-model-answer', request, 'it gave no message and called no tool', end);
    }
    // It had reported its end before it was signalled: a program that does not exit after its work.
    if (end.exitCode === 0 || wasSignalled(end)) return null;
    return toolFailure('tool-error', request, `it ended ${describeEnd(end)} after its result`, end);
  }

  limit(failure: Failure, end: ToolEnd): UsageLimit | null {
    if (this.#result !== null && textAt(this.#result, 'status') === 'success') return null;
    const result = this.#result ?? {};
    const words = textAt(result, 'error', 'message') ?? this.#stopped ?? geminiComplaint(end.tail);
    const isQuota = textAt(result, 'error', 'type')?.endsWith('QuotaError') === true;
    const limit = limitOf(failure, {
      words,
      status: httpStatus(end.exitCode),
      otherwise: isQuota ? 'window' : null,
    });
    // What another vendor says of money, this one says of the quota of a day.
    return limit?.class === 'cap' && isQuota ? { ...limit, class: 'window' } : limit;
  }

  lostSession({ tail }: ToolEnd): boolean {
    return !this.#began && /^Error resuming session:/m.test(tail);
  }

  #judgeError(result: JsonObject, end: ToolEnd): Failure {
    const request = this.#request;
    const error = textAt(result, 'error', 'message');
    const words = error ?? this.#stopped ?? `it ended ${describeEnd(end)}`;
    // An answer that it could not use is told by a notice alone.
    if (error === null && this.#silent()) return toolFailure('no-model-answer', request, words, end);
    const kind = textAt(result, 'error', 'type') ?? '';
    return toolFailure(geminiRefusal({ words, kind, exitCode: end.exitCode }), request, words, end);
  }

  #silent(): boolean {
    return this.#text.trim() === '' && this.#calls.size === 0;
  }

  /** SIGTERM ends it with exit code 0 and without a result; what is wrong before the work goes to standard error. */
  #judgeNoResult(end: ToolEnd): Failure {
    const request = this.#request;
    if (end.exitCode !== null && end.exitCode >= OWN_CODES.first && end.exitCode <= OWN_CODES.last) {
      const words = geminiComplaint(end.tail);
      const reason = geminiRefusal({ words, kind: '', exitCode: end.exitCode });
      const detail = [words, describeEnd(end)].filter((part) => part !== '').join('; ');
      return toolFailure(reason, request, detail, end);
    }
    return endedEarly(request, end, this.#began);
  }

  #says(event: JsonObject): void {
    const content = textAt(event, 'content') ?? '';
    this.#text = event['delta'] === true && !this.#textEnded ? this.#text + content : content;
    this.#textEnded = false;
    // One that is very long is cut in the report; what is shown is where it stands.
    this.#activity.says(lastOf(this.#text, TEXT).trimEnd().split('\n').at(-1) ?? '');
  }

  #toolUse(event: JsonObject): void {
    const name = textAt(event, 'tool_name') ?? 'a tool';
    this.#textEnded = true;
    this.#calls.set(textAt(event, 'tool_id') ?? `unnamed ${this.#calls.size}`, name);
    const [verb, field] = TOOLS.get(name) ?? [`uses ${name}`, ''];
    this.#activity.does(verb, textAt(event, 'parameters', field));
  }

  #toolResult(event: JsonObject): void {
    const name = this.#calls.get(textAt(event, 'tool_id') ?? '') ?? '';
    const changes = CHANGING.has(name);
    if (textAt(event, 'status') === 'success') {
      if (changes) this.#denied.worked();
      return;
    }
    const words = textAt(event, 'error', 'message') ?? name;
    const kind = textAt(event, 'error', 'type');
    const outside =
      changes && (kind === 'path_not_in_workspace' || words.startsWith('Path not in workspace'));
    if (outside || kind === 'policy_violation') this.#denied.add(`${name}: ${words}`, 'permission');
    // A model may name a tool that never was; one that writes and is not there has been taken away.
    if (kind === 'tool_not_registered' && changes) this.#denied.add(`${name}: ${words}`, 'absent');
  }

  /** Some notices end the work, and the final event is a success all the same. */
  #notice(event: JsonObject): void {
    const message = textAt(event, 'message') ?? '';
    if (textAt(event, 'severity') === 'error' || /^loop detected/i.test(message)) this.#stopped = message;
    this.#activity.says(message);
  }
}

/** The program counts what was spent on reasoning in its total only, so that it can't be told. */
function readTokens(stats: JsonObject): Tokens {
  return {
    ...NO_TOKENS,
    input: countAt(stats, 'input_tokens'),
    output: countAt(stats, 'output_tokens'),
    cacheRead: countAt(stats, 'cached'),
  };
}

/** The model that took the most tokens: small ones decide which other one to ask. Null where none took any. */
function mostUsedModel(stats: JsonObject | null): string | null {
  let most = 0;
  let model: string | null = null;
  const models = stats === null ? null : objectAt(stats, 'models');
  for (const [name, used] of Object.entries(models ?? {})) {
    const tokens = isObject(used) ? (countAt(used, 'total_tokens') ?? 0) : 0;
    if (tokens <= most) continue;
    most = tokens;
    model = name;
  }
  return model;
}

/** The tools that can change files. */
const CHANGING: ReadonlySet<string> = new Set(['write_file', 'replace', 'run_shell_command']);

/** The tools whose use can be told better than by their name: a verb, and the field that says to what. */
const TOOLS: ReadonlyMap<string, readonly [verb: string, field: string]> = new Map([
  ['run_shell_command', ['runs', 'command']],
  ['replace', ['edits', 'file_path']],
  ['write_file', ['writes', 'file_path']],
  ['read_file', ['reads', 'file_path']],
  ['list_directory', ['lists', 'dir_path']],
  ['glob', ['looks for', 'pattern']],
  ['grep_search', ['searches for', 'pattern']],
  ['google_web_search', ['searches the web for', 'query']],
  ['web_fetch', ['fetches', 'prompt']],
]);

// What an error of Gemini CLI is, from its words, its kind and its exit code.

/** What it says of its error. */
interface GeminiError {
  words: string;
  /** The name of the error's class, which for an error of the model's server is `unknown`. */
  kind: string;
  exitCode: number | null;
}

/** Exit codes of its own. */
const NOT_LOGGED_IN = 41;
const TURN_LIMIT = 53;
const CANCELLED = 130;

/** The reason to report for an error. */
export function geminiRefusal({ words, kind, exitCode }: GeminiError): ToolReason {
  if (exitCode === NOT_LOGGED_IN) return 'tool-not-logged-in';
  if (exitCode === TURN_LIMIT) return 'tool-limit';
  if (exitCode === CANCELLED) return 'tool-interrupted';
  if (kind.endsWith('QuotaError')) return 'tool-quota';
  return refusalReason(words, httpStatus(exitCode));
}

/** The HTTP status of which an exit code holds the last eight bits; null where it is that of a signal or none. */
function httpStatus(exitCode: number | null): number | null {
  const status = (exitCode ?? 0) + 256;
  return status >= 400 && status < 512 ? status : null;
}

/** What it prints whether something is wrong or not. */
const NOTICE = /^(?:Warning: |YOLO mode is enabled|Ripgrep is not available)/;

/** What it says of an error for which it gives no result: its last two lines, empty for none. */
export function geminiComplaint(tail: string): string {
  const lines = tail.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && jsonLine(line) === null && !NOTICE.test(line))
    .slice(-2)
    .join(' ');
}
