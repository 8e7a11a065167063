/** OpenCode: `opencode run --format json`, whose events are lines of JSON. Rules found by running version 1.18.33. */
import type { Failure } from '../../src/domain/failure.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens, type UsageLimit } from '../../src/domain/tool.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import { hasOption, optionValue } from './configured-arguments.ts';
import { Activity, EventStream } from './event-stream.ts';
import { amountAt, countAt, numberAt, objectAt, textAt } from './json-line.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  DeniedTools,
  describeEnd,
  endedEarly,
  lastWords,
  refusalReason,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { limitOf } from './usage-limit.ts';
import { isBefore } from './version.ts';

/** Characters of a report's text. */
const TEXT = 20_000;

export const opencode: ToolAdapter = {
  versionArguments: ['--version'],
  resumes: true,
  refuses: (version) =>
    isBefore(version, '1.17.12') ? 'it has no option --auto up to version 1.17.11' : null,
  command,
  reader: (request) => new OpencodeReader(request),
};

/** The configuration's arguments take the place of ours. */
function command({ settings, prompt, folder, resume }: ToolRequest): ToolCommand {
  const [file] = settings.command;
  const own = (...names: string[]): boolean => hasOption(settings.args, ...names);
  const args = ['run', '--format', 'json'];
  // Without it the program answers each question of its own with no.
  if (!own('--auto', '--no-auto')) args.push('--auto');
  if (!own('--dir', '--attach')) args.push('--dir', folder);
  if (settings.model !== null && !own('-m', '--model')) args.push('-m', settings.model);
  if (resume !== null && !own('-s', '--session', '-c', '--continue')) args.push('-s', resume);
  return { file, args: [...args, ...settings.args], env: { ...settings.env }, stdin: prompt };
}

class OpencodeReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #activity: Activity;
  readonly #events = new EventStream((event) => this.#event(event));
  readonly #denied = new DeniedTools();
  readonly #steps = new OpencodeSteps();
  #sessionId: string | null = null;
  #text = '';
  #toolCalls = 0;
  /** The last error, unless a step came after it. */
  #error: JsonObject | null = null;

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#activity = new Activity(request.folder);
  }

  line(text: string): void {
    this.#events.take(text);
  }

  #event(event: JsonObject): void {
    this.#sessionId = textAt(event, 'sessionID') ?? this.#sessionId;
    const part = objectAt(event, 'part') ?? {};
    switch (textAt(event, 'type') ?? '') {
      case 'step_start':
        this.#error = null;
        this.#steps.started();
        break;
      case 'step_finish':
        this.#steps.finished(part);
        break;
      case 'text':
        this.#text = textAt(part, 'text') ?? this.#text;
        this.#activity.says(this.#text);
        break;
      case 'tool_use':
        this.#toolUse(part);
        break;
      case 'error':
        this.#error = objectAt(event, 'error') ?? {};
        break;
      default:
    }
  }

  activity(): string | null {
    return this.#activity.take();
  }

  concluded(): boolean {
    return this.#error !== null || !this.#steps.open();
  }

  report(): ToolFindings {
    const { settings } = this.#request;
    const began = this.#sessionId !== null;
    return {
      // Its events name no model; this is the configured one.
      model: optionValue(settings.args, '-m', '--model') ?? settings.model,
      sessionId: this.#sessionId,
      text: firstOf(this.#text.trim(), TEXT),
      tokens: this.#steps.tokens(),
      costUsd: this.#steps.costUsd(),
      turns: began ? this.#steps.count() : null,
      toolCalls: began ? this.#toolCalls : null,
    };
  }

  judge(end: ToolEnd): Failure | null {
    const request = this.#request;
    if (this.#error !== null) return this.#judgeError(this.#error, end);
    const denied = this.#denied.judge(request, end);
    if (denied !== null) return denied;
    if (this.#steps.open()) return endedEarly(request, end, this.#sessionId !== null);
    const broken = BROKEN.get(this.#steps.ending() ?? '');
    if (broken !== undefined) return toolFailure('tool-error', request, broken, end);
    if (this.#text.trim() === '' && this.#toolCalls === 0) {
      return toolFailure('no-model-answer', request, 'it gave no message and called no tool', end);
    }
    // It had reported its end before it was signalled: a program that does not exit after its work.
    if (end.exitCode === 0 || wasSignalled(end)) return null;
    return toolFailure('tool-error', request, `it ended ${describeEnd(end)} after its last step`, end);
  }

  limit(failure: Failure, end: ToolEnd): UsageLimit | null {
    const error = this.#error;
    if (error === null) return this.#steps.open() ? limitOf(failure, { words: lastWords(end.tail) }) : null;
    const seconds = Number(textAt(error, 'data', 'responseHeaders', 'retry-after') ?? Number.NaN);
    return limitOf(failure, {
      words: textAt(error, 'data', 'message') ?? textAt(error, 'message') ?? '',
      status: numberAt(error, 'data', 'statusCode'),
      resetsAt: Number.isFinite(seconds) ? Date.now() + seconds * 1000 : null,
    });
  }

  lostSession({ tail }: ToolEnd): boolean {
    return this.#sessionId === null && /Session not found/.test(tail);
  }

  #judgeError(error: JsonObject, end: ToolEnd): Failure {
    const name = textAt(error, 'name') ?? '';
    const message = textAt(error, 'data', 'message') ?? textAt(error, 'message') ?? '';
    const words = [name, message].filter((part) => part !== '').join(': ') || `it ended ${describeEnd(end)}`;
    const request = this.#request;
    if (name === 'MessageAbortedError') return toolFailure('tool-interrupted', request, words, end);
    return toolFailure(refusalReason(words, numberAt(error, 'data', 'statusCode')), request, words, end);
  }

  /** Comes when the tool has ended. */
  #toolUse(part: JsonObject): void {
    this.#toolCalls += 1;
    const name = textAt(part, 'tool') ?? 'a tool';
    const [verb, field] = TOOLS.get(name) ?? [`uses ${name}`, ''];
    const what = textAt(part, 'state', 'input', field);
    this.#activity.does(verb, what);
    const missing = name === 'invalid' ? textAt(part, 'state', 'input', 'tool') : null;
    // A model may name a tool that never existed; where it is one that writes, it was disabled.
    if (missing !== null && CHANGING.has(missing)) {
      this.#denied.add(textAt(part, 'state', 'input', 'error') ?? missing, 'absent');
      return;
    }
    if (textAt(part, 'state', 'status') === 'completed') {
      if (CHANGING.has(name)) this.#denied.worked();
      return;
    }
    const error = textAt(part, 'state', 'error') ?? '';
    const shown = what === null ? name : `${name} ${what}`;
    if (DENIAL.test(error)) this.#denied.add(`${shown}: ${error}`, 'permission');
  }
}

/** What a tool's error begins with where a question was answered with no, or a rule of the configuration says no. */
const DENIAL =
  /^(?:The user rejected permission|The user has specified a rule which prevents|The user dismissed this question)/i;

/** Endings of a last step after which the answer is not whole. */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ['length', "the model's answer was cut at the limit of its length"],
  ['content-filter', "the model's answer was stopped by a content filter"],
  ['error', "the model's answer ended with an error"],
]);

/** The tools that can change files. */
const CHANGING: ReadonlySet<string> = new Set(['write', 'edit', 'patch', 'apply_patch', 'bash']);

/** Tools whose use has a better description than their name: a verb, and the field with the object. */
const TOOLS: ReadonlyMap<string, readonly [verb: string, field: string]> = new Map([
  ['bash', ['ran', 'command']],
  ['edit', ['edited', 'filePath']],
  ['write', ['wrote', 'filePath']],
  ['read', ['read', 'filePath']],
  ['glob', ['looked for', 'pattern']],
  ['grep', ['searched for', 'pattern']],
  ['webfetch', ['fetched', 'url']],
  ['task', ['had an agent', 'description']],
]);

// The steps of an OpenCode session: each is one answer of the model, with its usage.

/** Adds up the usage of steps; a figure that none of them has stays unknown. */
export class OpencodeSteps {
  #isOpen = false;
  #finished = 0;
  #ending: string | null = null;
  #costUsd: number | null = null;
  #tokens: Tokens = NO_TOKENS;

  /** A step whose stream was cut has no end: the next one takes its place, because the model is asked again. */
  started(): void {
    this.#isOpen = true;
  }

  /** Takes the `part` of a `step_finish`. */
  finished(part: JsonObject): void {
    this.#isOpen = false;
    this.#finished += 1;
    this.#ending = textAt(part, 'reason');
    this.#costUsd = sum(this.#costUsd, amountAt(part, 'cost'));
    const read = countAt(part, 'tokens', 'cache', 'read');
    const written = countAt(part, 'tokens', 'cache', 'write');
    const reasoning = countAt(part, 'tokens', 'reasoning');
    const { input, output, cacheRead, cacheWrite, reasoning: reasoned } = this.#tokens;
    this.#tokens = {
      // It counts what came from a cache beside its input, and reasoning beside its output.
      input: sum(input, countAt(part, 'tokens', 'input'), read, written),
      output: sum(output, countAt(part, 'tokens', 'output'), reasoning),
      cacheRead: sum(cacheRead, read),
      cacheWrite: sum(cacheWrite, written),
      reasoning: sum(reasoned, reasoning),
    };
  }

  /** Whether the last step did not end, there was none, or the model was to be told what its tools had found. */
  open(): boolean {
    return this.#finished === 0 || this.#isOpen || this.#ending === 'tool-calls';
  }

  /** Why the last step ended, as the model said it. */
  ending(): string | null {
    return this.#ending;
  }

  count(): number {
    return this.#finished;
  }

  tokens(): Tokens {
    return this.#tokens;
  }

  /** US dollars, by the prices that the program knows; a model of which it knows none costs it 0. */
  costUsd(): number | null {
    return this.#costUsd;
  }
}

/** The sum of the known values; null where none is. */
function sum(...parts: (number | null)[]): number | null {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : known.reduce((total, part) => total + part, 0);
}
