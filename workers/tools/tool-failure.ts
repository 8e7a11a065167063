/** Failures of tools: the reason, and the program's own words. */
import type { Failure } from '../../src/domain/failure.ts';
import { oneLine } from '../../src/text/printable.ts';
import { jsonLine } from './json-line.ts';
import type { ToolEnd, ToolRequest } from './tool.ts';

/** Characters of a failure's detail. */
const DETAIL = 500;

/** The reasons that need nothing beyond the program's words. */
export type ToolReason = Exclude<
  Extract<Failure, { tool: string; detail: string; tail: string }>['reason'],
  'permission-denied' | 'usage-limit'
>;

/** The fields that every failure of a tool has. */
interface ToolContext {
  tool: string;
  /** One line. */
  detail: string;
  tail: string;
  log: string;
}

/** The common fields of a failure, with `detail` on one line of at most 500 characters. */
export function toolContext(request: ToolRequest, detail: string, end: ToolEnd): ToolContext {
  return { tool: request.settings.name, detail: oneLine(detail, DETAIL), tail: end.tail, log: end.log };
}

/** A failure of a tool. */
export function toolFailure(reason: ToolReason, request: ToolRequest, detail: string, end: ToolEnd): Failure {
  return { reason, ...toolContext(request, detail, end) };
}

/** Out of quota, credit or rate, as vendors say it. */
const QUOTA =
  /\b429\b|usage limit|rate.?limit|quota|credit balance|insufficient (?:credit|balance|funds)|billing|too many requests|hit your (?:\w+ )?limit/i;
/** Not logged in, or with a key that is not accepted. */
const LOGIN =
  /\b40[13]\b|unauthori[sz]ed|forbidden|not logged in|log ?in again|\/login\b|authenticat|api[ _-]?key|missing environment variable/i;

/** The reason for an error of the model's server, from its HTTP status, where known, and its message. */
export function refusalReason(
  words: string,
  status: number | null,
): 'tool-quota' | 'tool-not-logged-in' | 'tool-error' {
  if (status === 429 || status === 402) return 'tool-quota';
  if (status === 401 || status === 403) return 'tool-not-logged-in';
  // A server error is no problem of the account, whatever its text says.
  if (status !== null && status >= 500) return 'tool-error';
  if (QUOTA.test(words)) return 'tool-quota';
  return LOGIN.test(words) ? 'tool-not-logged-in' : 'tool-error';
}

/**
 * The failure of a program that ended without the event that says how its work went. One that had begun to work, or
 * that seems to have ended well or by a signal, was interrupted; the others failed, and their last words say how.
 */
export function endedEarly(request: ToolRequest, end: ToolEnd, began: boolean): Failure {
  const words = lastWords(end.tail);
  const interrupted = began || wasSignalled(end) || end.exitCode === 0;
  if (interrupted) {
    const ending = `it ended ${describeEnd(end)} without saying how its work went`;
    return toolFailure('tool-interrupted', request, join(ending, words), end);
  }
  const detail = join(words, describeEnd(end));
  return toolFailure(refusalReason(words, null), request, detail, end);
}

/** "with exit code 3", "by SIGTERM". */
export function describeEnd(end: ToolEnd): string {
  return end.exitCode === null ? `by ${end.signal ?? 'an unknown signal'}` : `with exit code ${end.exitCode}`;
}

/** Whether a signal ended it, also where it handled the signal and then exited with 128 and the signal's number. */
export function wasSignalled(end: ToolEnd): boolean {
  // SIGINT 2, SIGKILL 9, SIGTERM 15
  return end.exitCode === null || [130, 137, 143].includes(end.exitCode);
}

/** The last line that is meant for people, or the last that says that it is an error; empty for none. */
export function lastWords(tail: string): string {
  const lines = tail
    .split('\n')
    .map((line) => line.trim())
    // A tail may begin in the middle of an event.
    .filter(
      (line, index) => line !== '' && jsonLine(line) === null && !(index === 0 && line.startsWith('…')),
    );
  return lines.findLast((line) => /^(?:error|fatal)\b/i.test(line)) ?? lines.at(-1) ?? '';
}

const join = (...parts: string[]): string => parts.filter((part) => part !== '').join('; ');

// What a tool was not allowed to do, for those whose program goes on after a denial and ends with success.

/** Longest description of a denial in characters. */
const WIDTH = 200;

/**
 * Records denials. A missing tool no longer counts once another tool has changed files. What was denied stays denied,
 * whatever the tool did afterwards: only acceptance can show whether it was needed.
 */
export class DeniedTools {
  #denied: { words: string; why: 'permission' | 'absent' }[] = [];

  /** A use of a tool was denied, or a tool that changes files was not there to be used. */
  add(words: string, why: 'permission' | 'absent'): void {
    this.#denied.push({ words: oneLine(words, WIDTH), why });
  }

  /** A tool that changes files did so. */
  worked(): void {
    this.#denied = this.#denied.filter(({ why }) => why === 'permission');
  }

  /**
   * `read-only` where there was no tool to change files with, `permission-denied` where one was not allowed; null
   * where no denial is left.
   */
  judge(request: ToolRequest, end: ToolEnd): Failure | null {
    const [first] = this.#denied;
    if (first === undefined) return null;
    if (this.#denied.every(({ why }) => why === 'absent')) {
      return toolFailure('read-only', request, first.words, end);
    }
    const denied = this.#denied.map(({ words }) => words);
    return { reason: 'permission-denied', denied, ...toolContext(request, first.words, end) };
  }
}
