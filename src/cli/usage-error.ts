/** The command line or the configuration can't be used: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
