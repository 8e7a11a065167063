import expand from '@inquirer/expand';
import type { Workstream } from '../domain/workstream.ts';
import type { Decision } from '../run/coordinator.ts';
import { oneLine } from '../support/printable.ts';

/** Asks a person what to do with a workstream. Ctrl-C at the question, or the run's end, means to quit. */
export async function askOnTerminal(workstream: Workstream, signal: AbortSignal): Promise<Decision> {
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
      { signal },
    );
  } catch (error) {
    if (error instanceof Error && /^(ExitPrompt|AbortPrompt)Error$/.test(error.name)) return 'quit';
    throw error;
  }
}
