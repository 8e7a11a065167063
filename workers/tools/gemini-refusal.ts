/** What an error of Gemini CLI is, from its words, its kind and its exit code. */
import { jsonLine } from './json-line.ts';
import { refusalReason, type ToolReason } from './tool-failure.ts';

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
