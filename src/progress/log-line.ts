/** Longer lines are not passed on as they are. */
const MAX_LENGTH = 1_048_576;
const INFO = 30;

/** The pino level of a log line, or null when it is not one JSON object on one line, or is too long. */
export function lineLevel(line: string): number | null {
  if (line.length > MAX_LENGTH || /[\n\r]/.test(line)) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return 'level' in value && typeof value.level === 'number' ? value.level : INFO;
  } catch {
    // Not JSON: said by null.
    return null;
  }
}
