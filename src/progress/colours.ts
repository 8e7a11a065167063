import { Chalk, type ChalkInstance, supportsColor, supportsColorStderr } from 'chalk';

/** The colours that suit a stream. chalk knows FORCE_COLOR, TERM=dumb and pipes; NO_COLOR, which it leaves out, too. */
export function coloursFor(stream: object, env: NodeJS.ProcessEnv = process.env): ChalkInstance {
  const support = 'fd' in stream && stream.fd === 2 ? supportsColorStderr : supportsColor;
  const unwanted = (env['NO_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] === undefined;
  return new Chalk({ level: unwanted || support === false ? 0 : support.level });
}
