import type { Failure } from './failure.ts';

/** The failure that a fault of Millrace itself is, whatever was thrown. */
export function internalError(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { reason: 'internal-error', thrown: { name, message, ...(stack === undefined ? {} : { stack }) } };
}
