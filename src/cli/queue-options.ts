/** What names a queue, on every command line that has one. */
import { UsageError } from './usage-error.ts';

export const queueOptions = {
  queue: {
    type: 'string' as const,
    describe: 'Redis of the queue: redis://, rediss:// or unix:///path; default: MILLRACE_QUEUE',
    requiresArg: true,
  },
  'queue-key-file': {
    type: 'string' as const,
    describe: 'File with the key of the queue; default: the key in MILLRACE_QUEUE_KEY',
    requiresArg: true,
  },
  'queue-ca': {
    type: 'string' as const,
    describe: 'File with the certificates that rediss:// may be signed by',
    requiresArg: true,
  },
};

/**
 * The address of the queue. The variable is removed: it may have a password, and nothing that is started needs it.
 * @throws UsageError where none was given.
 */
export function queueUrl(given: string | undefined): string {
  const variable = process.env['MILLRACE_QUEUE'];
  delete process.env['MILLRACE_QUEUE'];
  const url = given ?? variable;
  if (url === undefined || url === '')
    throw new UsageError('Name the queue: --queue redis://HOST, or the variable MILLRACE_QUEUE.');
  return url;
}
