import { nameSome } from './name-some.ts';
import type { EndedProcesses, NamedProcess } from './owned-processes.ts';

const MAX_COMMAND = 100;

/** What a person is told of the processes that a workstream left; empty where it left none. */
export function leftSentences({ found, left }: EndedProcesses): string[] {
  const sentences: string[] = [];
  if (found.length === 1) sentences.push(`It left a process running; it was ended: ${nameProcesses(found)}.`);
  else if (found.length > 1)
    sentences.push(`It left ${found.length} processes running; they were ended: ${nameProcesses(found)}.`);
  if (left.length > 0)
    sentences.push(`${left.length} of its processes could not be ended: ${nameProcesses(left)}.`);
  return sentences;
}

/** What a person is told of processes of which nothing proves whose they are; they are not ended. */
export function straySentence(strays: readonly NamedProcess[]): string {
  return `It may have left running what nothing proves to be its own, with an environment that was cleared, so that it was not ended: ${nameProcesses(strays)}.`;
}

/** Each by its pid and command line, as many as fit in a sentence. */
export function nameProcesses(processes: readonly NamedProcess[]): string {
  return nameSome(processes.map(({ pid, command }) => `${pid} (${cut(command)})`));
}

/** Between characters, not inside of one. */
function cut(command: string): string {
  const characters = Array.from(command);
  return characters.length > MAX_COMMAND ? `${characters.slice(0, MAX_COMMAND).join('')}…` : command;
}
