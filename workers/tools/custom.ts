/** Programs that the configuration describes: their command has placeholders, their success has rules. */
import type { Failure } from '../../src/domain/failure.ts';
import { NO_TOKENS, successPattern } from '../../src/domain/tool.ts';
import { endOf, firstOf, lastOf } from '../../src/text/cut-text.ts';
import { messageOf } from '../../src/text/error-message.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';

const PLACEHOLDER = /\{(prompt|prompt_file|folder|model|session_id)\}/g;
/** Longest text of a report in characters. */
const MAX_TEXT = 20_000;

export const custom: ToolAdapter = {
  versionArguments: null,
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
  #text = '';
  #latest: string | null = null;

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#rules = compile(request.settings.success);
  }

  line(text: string): void {
    this.#seen.matched ||= this.#rules.matches?.test(text) === true;
    this.#seen.excluded ||= this.#rules.excludes?.test(text) === true;
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

  judge(end: ToolEnd): Failure | null {
    const detail = whyNoSuccess(this.#rules, end, this.#seen);
    if (detail === null) return null;
    const { name } = this.#request.settings;
    return { reason: 'tool-error', tool: name, detail, tail: end.tail, log: end.log };
  }
}

function compile({ exitCodes, outputMatches, outputExcludes }: ToolRequest['settings']['success']): Rules {
  const rules: Rules = { exitCodes, matches: null, excludes: null, problem: null };
  try {
    if (outputMatches !== null) rules.matches = successPattern(outputMatches);
    if (outputExcludes !== null) rules.excludes = successPattern(outputExcludes);
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
