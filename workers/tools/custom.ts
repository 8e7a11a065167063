/** Programs that the configuration describes: their command has placeholders, their success has rules. */
import type { Failure } from '../../src/domain/failure.ts';
import { type LimitClass, NO_TOKENS, successPattern, type UsageLimit } from '../../src/domain/tool.ts';
import { endOf, firstOf, lastOf } from '../../src/text/cut-text.ts';
import { messageOf } from '../../src/text/error-message.ts';
import { oneLine } from '../../src/text/printable.ts';
import { jsonLine, textAt } from './json-line.ts';
import { resetTime } from './reset-time.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';

const PLACEHOLDER = /\{(prompt|prompt_file|folder|model|session_id)\}/g;
/** Longest text of a report in characters. */
const MAX_TEXT = 20_000;

export const custom: ToolAdapter = {
  versionArguments: null,
  resumes: false,
  refuses: () => null,
  command: buildCommand,
  reader: (request) => new CustomReader(request),
};

/**
 * Placeholders are replaced inside each argument, once: braces in a prompt stay as they are. `{model}` is empty where
 * no model is set. A prompt that no placeholder asks for is appended, or its file is.
 */
function buildCommand(request: ToolRequest): ToolCommand {
  const { settings, prompt, promptFile } = request;
  const [file, ...rest] = settings.command;
  const args = [...rest, ...settings.args];
  const values = valuesOf(request);
  const filled = args.map((argument) =>
    argument.replaceAll(PLACEHOLDER, (whole, name: string) => values[name] ?? whole),
  );
  if (settings.prompt === 'argument' && !names(args, 'prompt')) filled.push(prompt);
  if (settings.prompt === 'file' && !names(args, 'prompt_file')) filled.push(promptFile);
  return { file, args: filled, env: {}, stdin: settings.prompt === 'stdin' ? prompt : '' };
}

const names = (args: string[], placeholder: string): boolean =>
  args.some((argument) => argument.includes(`{${placeholder}}`));

const valuesOf = (request: ToolRequest): Record<string, string> => ({
  prompt: request.prompt,
  prompt_file: request.promptFile,
  folder: request.folder,
  model: request.settings.model ?? '',
  session_id: request.sessionId,
});

/** The rules by which it has done its work. */
interface Rules {
  exitCodes: readonly number[];
  matches: RegExp | null;
  excludes: RegExp | null;
  /** How it says that it met a usage limit. */
  limits: readonly { class: LimitClass; pattern: RegExp }[];
  /** Why a rule can't be used; null where all can. */
  problem: string | null;
}

/** Whether a line has matched. */
interface PatternMatches {
  matched: boolean;
  excluded: boolean;
}

/** Millrace does not interpret what such a program prints; the end of it is the text of its report. */
class CustomReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #rules: Rules;
  /** Of each line of standard output; the end of all that it printed is looked at as a whole. */
  readonly #seen: PatternMatches = { matched: false, excluded: false };
  /** The last line that says that it met a usage limit; null for none. */
  #limit: UsageLimit | null = null;
  /** What the last line that was a JSON object said of the end of its work; null where it said nothing. */
  #status: string | null = null;
  #text = '';
  #latest: string | null = null;

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#rules = compile(request.settings);
  }

  line(text: string): void {
    this.#seen.matched ||= this.#rules.matches?.test(text) === true;
    this.#seen.excluded ||= this.#rules.excludes?.test(text) === true;
    this.#limit = limitIn(text, this.#rules.limits) ?? this.#limit;
    const event = text.trimStart().startsWith('{') ? jsonLine(text) : null;
    if (event !== null) this.#status = textAt(event, 'status');
    this.#text += `${text}\n`;
    if (this.#text.length > 2 * MAX_TEXT) this.#text = lastOf(this.#text, MAX_TEXT + 1);
    if (text.trim() !== '') this.#latest = firstOf(text, 200);
  }

  activity(): string | null {
    const latest = this.#latest;
    this.#latest = null;
    return latest;
  }

  /** Its work is done when it exits, whatever it prints. */
  concluded(): boolean {
    return false;
  }

  report(): ToolFindings {
    const { settings, sessionId } = this.#request;
    const given = names([...settings.command, ...settings.args], 'session_id');
    return {
      model: settings.model,
      sessionId: given ? sessionId : null,
      text: endOf(this.#text.trim(), MAX_TEXT),
      tokens: NO_TOKENS,
      costUsd: null,
      turns: null,
      toolCalls: null,
    };
  }

  limit(_failure: Failure, { tail }: ToolEnd): UsageLimit | null {
    const last = tail.split('\n').findLast((line) => limitIn(line, this.#rules.limits) !== null);
    return this.#limit ?? (last === undefined ? null : limitIn(last, this.#rules.limits));
  }

  /** It is told to go on with none. */
  lostSession(): boolean {
    return false;
  }

  /** Some programs end with exit code 0 whatever happened, and say in their last line that it was an error. */
  #saidError(): string | null {
    const whole = this.#status === null ? jsonLine(this.#text) : null;
    const status = whole === null ? this.#status : textAt(whole, 'status');
    return status !== null && /^(?:error|failed|failure)$/i.test(status)
      ? `it ended with exit code 0, and its last JSON has the status ${status}`
      : null;
  }

  judge(end: ToolEnd): Failure | null {
    const detail = whyNoSuccess(this.#rules, end, this.#seen) ?? this.#saidError();
    if (detail === null) return null;
    const { name } = this.#request.settings;
    return { reason: 'tool-error', tool: name, detail, tail: end.tail, log: end.log };
  }
}

/** The limit that a line tells of; null for none. The group `resets` is its time, or the whole line names it. */
function limitIn(line: string, rules: Rules['limits']): UsageLimit | null {
  for (const rule of rules) {
    const match = rule.pattern.exec(line);
    if (match === null) continue;
    const { resets } = match.groups ?? {};
    const seconds = resets === undefined ? Number.NaN : Number(resets);
    const now = Date.now();
    const resetsAt = Number.isFinite(seconds)
      ? numericTime(seconds, now)
      : resetTime(resets === undefined ? line : `resets ${resets} resets in ${resets}`, now);
    return { class: rule.class, resetsAt, exact: Number.isFinite(seconds), text: oneLine(line, 300) };
  }
  return null;
}

/** A number is seconds from now on, or, where that would be in the next century, seconds or milliseconds since 1970. */
function numericTime(value: number, now: number): number {
  if (value < 1e9) return now + value * 1000;
  return value < 1e12 ? value * 1000 : value;
}

function compile({ success, limits }: ToolRequest['settings']): Rules {
  const { exitCodes, outputMatches, outputExcludes } = success;
  const rules: Rules = { exitCodes, matches: null, excludes: null, limits: [], problem: null };
  try {
    if (outputMatches !== null) rules.matches = successPattern(outputMatches);
    if (outputExcludes !== null) rules.excludes = successPattern(outputExcludes);
    rules.limits = limits.map((rule) => ({ class: rule.class, pattern: successPattern(rule.outputMatches) }));
  } catch (error) {
    // The configuration is checked for it, and settings of the library's may come another way.
    rules.problem = messageOf(error);
  }
  return rules;
}

function whyNoSuccess(
  { exitCodes, matches, excludes, problem }: Rules,
  end: ToolEnd,
  seen: PatternMatches,
): string | null {
  if (end.exitCode === null) return `it was ended by ${end.signal ?? 'an unknown signal'}`;
  if (!exitCodes.includes(end.exitCode)) return `exit code ${end.exitCode}`;
  if (problem !== null) return `a rule for its output is no regular expression: ${problem}`;
  if (matches !== null && !seen.matched && !matches.test(end.tail))
    return `its output does not match ${matches.source}`;
  if (excludes !== null && (seen.excluded || excludes.test(end.tail)))
    return `its output matches ${excludes.source}`;
  return null;
}
