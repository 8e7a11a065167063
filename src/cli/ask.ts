import expand from '@inquirer/expand';
import type { Workstream } from '../domain/workstream.ts';
import type { Decision } from '../run/coordinator.ts';
import { oneLine } from '../support/printable.ts';

/** Asks a person what to do with a workstream. Ctrl-C at the question means to quit. */
export async function askOnTerminal(workstream: Workstream): Promise<Decision> {
  try {
    return await expand<Decision>({
      message: `${oneLine(workstream.id, 100)}: ${oneLine(workstream.title, 100)}`,
      default: 'r',
      choices: [
        { key: 'r', name: 'Run it', value: 'run' },
        { key: 's', name: 'Skip it', value: 'skip' },
        { key: 'd', name: 'Mark it as done', value: 'done' },
        { key: 'q', name: 'Quit, and skip the rest', value: 'quit' },
      ],
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return 'quit';
    throw error;
  }
}
