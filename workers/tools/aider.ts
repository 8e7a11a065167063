/** Aider: `aider --message-file`, which reports its work in an analytics log. Rules read from the source of 0.86. */
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import type { UsageLimit } from '../../src/domain/tool.ts';
import { readRegular } from '../../src/os/regular-file.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import { hasOption, optionValue } from './configured-arguments.ts';
import { Activity } from './event-stream.ts';
import { amountAt, countAt, jsonLine, objectAt, textAt } from './json-line.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolFindings, ToolReader, ToolRequest } from './tool.ts';
import {
  describeEnd,
  endedEarly,
  lastWords,
  refusalReason,
  toolFailure,
  wasSignalled,
} from './tool-failure.ts';
import { limitOf } from './usage-limit.ts';

/** Characters of a report's text. */
const TEXT = 20_000;

export const aider: ToolAdapter = {
  versionArguments: ['--version'],
  resumes: true,
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

/** The configuration's arguments come last: of a repeated option the last one counts. */
function command(request: ToolRequest): ToolCommand {
  const { settings, promptFile, scratch } = request;
  const [file] = settings.command;
  const args = ['--message-file', promptFile, ...QUIET, '--analytics-log', analyticsLog(request)];
  args.push('--chat-history-file', chatHistory(request));
  // It has no sessions: the chat of the one before is copied and read again.
  if (copiedChat(request)) args.push('--restore-chat-history');
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

const chatHistory = ({ scratch }: ToolRequest): string => join(scratch, 'aider-chat.md');

/** Brings the chat of an earlier step into this one's. False where there is none. */
function copiedChat(request: ToolRequest): boolean {
  if (request.resume === null) return false;
  try {
    copyFileSync(request.resume, chatHistory(request));
    return true;
  } catch {
    // It wrote none, or that is gone: `lostSession` says so.
    return false;
  }
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
      sessionId: chatHistory(this.#request),
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

  limit(failure: Failure, end: ToolEnd): UsageLimit | null {
    const words = this.#log()?.exception ?? this.#error ?? lastWords(end.tail);
    const otherwise = /^litellm\.RateLimitError\b/.test(words) ? 'rate' : null;
    return failure.reason === 'tool-limit' ? null : limitOf(failure, { words, otherwise });
  }

  lostSession(): boolean {
    const { resume } = this.#request;
    return resume !== null && statSync(resume, { throwIfNoEntry: false }) === undefined;
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

// Reads the files in which Aider keeps what its model said and took.

const MOST_BYTES = 256 * 1024 * 1024;

/** What an analytics log says of one run. */
export interface AiderLog {
  model: string | null;
  /** How many times a model answered. */
  answers: number;
  /** Whether the last message got an answer. */
  lastAnswered: boolean;
  /** What kept the last message from being answered; null where nothing is known of such a thing. */
  exception: string | null;
  promptTokens: number | null;
  completionTokens: number | null;
  /** US dollars, of all messages. */
  totalCost: number | null;
  /** Whether it came to its own end. */
  ended: boolean;
}

/** Null where there is no such file; lines that are no events are ignored. */
export function readAiderLog(path: string): AiderLog | null {
  const text = read(path);
  if (text === null) return null;
  const log: AiderLog = {
    model: null,
    answers: 0,
    lastAnswered: false,
    exception: null,
    promptTokens: null,
    completionTokens: null,
    totalCost: null,
    ended: false,
  };
  for (const line of text.split('\n')) addEvent(log, line);
  return log;
}

function addEvent(log: AiderLog, line: string): void {
  const event = jsonLine(line);
  const properties = event === null ? null : objectAt(event, 'properties');
  if (event === null || properties === null) return;
  log.model = textAt(properties, 'main_model') ?? log.model;
  switch (textAt(event, 'event') ?? '') {
    case 'message_send': {
      const prompt = countAt(properties, 'prompt_tokens') ?? 0;
      const completion = countAt(properties, 'completion_tokens') ?? 0;
      const before = (log.promptTokens ?? 0) + (log.completionTokens ?? 0);
      // After a message that failed the usage of the one before is reported again, without tokens. Where none was
      // ever counted, the model is one whose tokens it can't count.
      log.lastAnswered = prompt + completion > 0 || before === 0;
      if (log.lastAnswered) {
        log.answers += 1;
        log.exception = null;
      }
      log.promptTokens = (log.promptTokens ?? 0) + prompt;
      log.completionTokens = (log.completionTokens ?? 0) + completion;
      log.totalCost = amountAt(properties, 'total_cost') ?? log.totalCost;
      break;
    }
    case 'message_send_exception':
      log.lastAnswered = false;
      log.exception = textAt(properties, 'exception') ?? 'the message could not be sent';
      break;
    case 'exit':
      log.ended = true;
      break;
    default:
  }
}

/** The last answer in a history of what was said to and by the model; empty where there is none. */
export function readLastAnswer(path: string): string {
  const lines = (read(path) ?? '').split('\n');
  const start = lines.findLastIndex((line) => /^LLM RESPONSE \d{4}-/.test(line));
  if (start < 0) return '';
  const answer: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (!/^ASSISTANT(?: |$)/.test(line)) break;
    answer.push(line.slice('ASSISTANT '.length));
  }
  return answer.join('\n').trim();
}

function read(path: string): string | null {
  try {
    return readRegular(path, MOST_BYTES).toString();
  } catch {
    // It is written only when there is something to report.
    return null;
  }
}
