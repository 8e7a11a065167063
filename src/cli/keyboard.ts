/** The keys of the terminal that the command was started in. */
import { isatty, ReadStream } from 'node:tty';
import { currentLink } from '../watch/link.ts';
import { INPUT } from '../watch/protocol.ts';

/** The standard input of a process that is watched is at its end, so that workstreams find nothing there. */
const descriptor = (): number => (currentLink() === null ? 0 : INPUT);

/** Whether a person can type anything. */
export const hasKeyboard = (): boolean => isatty(descriptor());

let opened: ReadStream | null = null;

/** One stream for all questions, because closing it would close the descriptor. It keeps no process alive by itself. */
export function keyboardStream(): ReadStream {
  opened ??= new ReadStream(descriptor());
  return opened;
}
