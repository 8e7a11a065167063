/** The code that Node gives errors of the operating system, such as `ENOENT`; the error as text for any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
