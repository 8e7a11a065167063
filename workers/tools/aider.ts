/** Aider: `aider --message-file`, which tells of its work in an analytics log. Rules read from the source of 0.86. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import { Activity } from './activity.ts';
import { type AiderLog, readAiderLog, readLastAnswer } from './aider-files.ts';
import { hasOption, optionValue } from './configured-arguments.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  describeEnd,
  endedEarly,
  lastWords,
  refusalReason,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { firstOf } from '../../src/support/cut-text.ts';

/** Characters of a report's text. */
const TEXT = 20_000;

export const aider: ToolAdapter = {
  versionArguments: ['--version'],
  // No version is known not to work: none was run.
  refuses: () => null,
  command,
  reader: (request) => new AiderReader(request),
};

/** Commits are the caller's, questions are answered with yes, and nothing is written beside the files it edits. */
const QUIET = [
  '--yes-always',
  '--no-auto-commits',
  '--no-dirty-commits',
  '--no-gitignore',
  '--no-pretty',
  '--no-stream',
  '--no-check-update',
  '--no-show-release-notes',
  '--no-suggest-shell-commands',
  '--no-analytics',
];

/** The configuration's arguments come last: of an option given twice the last one counts. */
function command(request: ToolRequest): ToolCommand {
  const { settings, promptFile, scratch } = request;
  const [file] = settings.command;
  const args = ['--message-file', promptFile, ...QUIET, '--analytics-log', analyticsLog(request)];
  args.push('--chat-history-file', join(scratch, 'aider-chat.md'));
  args.push('--input-history-file', join(scratch, 'aider-input.txt'));
  args.push('--llm-history-file', modelHistory(request));
  if (settings.model !== null && !hasOption(settings.args, '--model')) args.push('--model', settings.model);
  for (const name of existingFiles(request)) args.push('--file', name);
  return { file, args: [...args, ...settings.args], env: { ...settings.env }, stdin: '' };
}

/** The paths of the scope that are files already; a pattern, or a path that leads to no file, is none. */
function existingFiles({ folder, scope }: ToolRequest): string[] {
  return scope
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

const analyticsLog = (request: ToolRequest): string =>
  optionValue(request.settings.args, '--analytics-log') ?? join(request.scratch, 'aider-analytics.jsonl');

const modelHistory = (request: ToolRequest): string =>
  optionValue(request.settings.args, '--llm-history-file') ?? join(request.scratch, 'aider-model.txt');

class AiderReader implements ToolReader {
  readonly #request: ToolRequest;
  readonly #activity: Activity;
  /** The last error of the model's server. */
  #error: string | null = null;
  /** It gave up on an answer whose edits it could not apply, or whose tests or lints did not pass. */
  #gaveUp: string | null = null;

  constructor(request: ToolRequest) {
    this.#request = request;
    this.#activity = new Activity(request.folder);
  }

  line(text: string): void {
    const line = text.trim();
    if (/^litellm\.\w+(?:Error|Exception|Timeout)\b/.test(line)) this.#error = line;
    if (/^Only \d+ reflections allowed, stopping\.$/.test(line)) this.#gaveUp = line;
    this.#activity.says(line);
  }

  activity(): string | null {
    return this.#activity.take();
  }

  /** Its stream has no last event. */
  concluded(): boolean {
    return false;
  }

  report(): ToolFindings {
    const log = this.#log();
    const { settings } = this.#request;
    return {
      model: log?.model ?? optionValue(settings.args, '--model') ?? settings.model,
      sessionId: null,
      text: firstOf(readLastAnswer(modelHistory(this.#request)), TEXT),
      tokens: {
        input: log?.promptTokens ?? null,
        output: log?.completionTokens ?? null,
        cacheRead: null,
        cacheWrite: null,
        reasoning: null,
      },
      costUsd: log?.totalCost ?? null,
      turns: log?.answers ?? null,
      toolCalls: null,
    };
  }

  /** It ends with 0 whatever its model did. */
  judge(end: ToolEnd): Failure | null {
    const request = this.#request;
    const log = this.#log();
    const ended = log?.ended === true;
    if (!ended && wasSignalled(end)) return endedEarly(request, end, true);
    if (log === null || log.answers === 0) return this.#judgeNoAnswer(log, end);
    const unanswered = log.exception ?? (log.lastAnswered ? null : (this.#error ?? lastWords(end.tail)));
    if (unanswered !== null) {
      const detail = unanswered === '' ? 'the last message got no answer' : unanswered;
      return toolFailure(refusalReason(detail, null), request, detail, end);
    }
    if (this.#gaveUp !== null) return toolFailure('tool-limit', request, this.#gaveUp, end);
    if (end.exitCode === 0 || wasSignalled(end)) return null;
    const detail = [lastWords(end.tail), describeEnd(end)].filter((part) => part !== '').join('; ');
    return toolFailure('tool-error', request, detail, end);
  }

  #judgeNoAnswer(log: AiderLog | null, end: ToolEnd): Failure {
    const request = this.#request;
    const words = log?.exception ?? this.#error;
    if (words !== null) {
      const refusal = refusalReason(words, null);
      return toolFailure(refusal === 'tool-error' ? 'no-model-answer' : refusal, request, words, end);
    }
    if (end.exitCode !== 0) return endedEarly(request, end, false);
    const last = lastWords(end.tail);
    return toolFailure('no-model-answer', request, last === '' ? 'no model answered' : last, end);
  }

  #log(): AiderLog | null {
    return readAiderLog(analyticsLog(this.#request));
  }
}
