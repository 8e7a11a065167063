import { PassThrough } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import type { Workstream } from '../domain/workstream.ts';
import type { Decision } from '../run/coordinator.ts';
import { oneLine } from '../text/printable.ts';
import { currentChannel } from '../watch/channel.ts';
import { INPUT } from '../watch/protocol.ts';

/**
 * Asks a person what to do with a workstream. Ctrl-C at the question, a terminal that is closed, or the run's end means
 * to quit.
 */
export async function askOnTerminal(workstream: Workstream, signal: AbortSignal): Promise<Decision> {
  // Loaded by the few runs that ask.
  const { default: expand } = await import('@inquirer/expand');
  const keyboard = openKeyboard();
  try {
    return await expand<Decision>(
      {
        message: `${oneLine(workstream.id, 100)}: ${oneLine(workstream.title, 100)}`,
        default: 'r',
        choices: [
          { key: 'r', name: 'Run it', value: 'run' },
          { key: 's', name: 'Skip it', value: 'skip' },
          { key: 'd', name: 'Mark it as done', value: 'done' },
          { key: 'q', name: 'Quit, and skip the rest', value: 'quit' },
        ],
      },
      { signal: AbortSignal.any([signal, keyboard.gone]), input: keyboard.input },
    );
  } catch (error) {
    if (error instanceof Error && /^(ExitPrompt|AbortPrompt)Error$/.test(error.name)) return 'quit';
    throw error;
  } finally {
    keyboard.close();
  }
}

interface Keyboard {
  input: PassThrough;
  /** Aborted when no key can be typed any more. */
  gone: AbortSignal;
  close: () => void;
}

/**
 * The keys of the terminal as a stream of their own. Readline would set the terminal's mode itself, and fails outside
 * of any promise when the terminal has gone.
 */
function openKeyboard(): Keyboard {
  const keys = keyboardStream().ref();
  const input = new PassThrough();
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  keys.once('end', leave).on('error', leave);
  keys.setRawMode(true);
  keys.pipe(input, { end: false });
  const close = (): void => {
    keys.unpipe(input).pause();
    keys.setRawMode(false);
    keys.off('end', leave).off('error', leave);
    keys.unref();
  };
  return { input, gone: gone.signal, close };
}

// The keys of the terminal that the command was started in.

/** The standard input of a process that is watched is at its end, so that workstreams find nothing there. */
const descriptor = (): number => (currentChannel() === null ? 0 : INPUT);

/** Whether a person can type anything. */
export const hasKeyboard = (): boolean => isatty(descriptor());

let opened: ReadStream | null = null;

/** One stream for all questions, because closing it would close the descriptor. It keeps no process alive by itself. */
function keyboardStream(): ReadStream {
  opened ??= new ReadStream(descriptor());
  return opened;
}
