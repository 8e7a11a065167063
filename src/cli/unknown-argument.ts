import { nearest } from '../support/nearest.ts';
import { configurableOptions } from './options.ts';

const MORE_OPTIONS = ['format', 'limit', 'help', 'version', 'resume', 'retry-failed'];

/**
 * Adds the option that was probably meant to yargs' message about unknown arguments.
 * @param words that were typed: the message does not tell options from names.
 */
export async function explainUnknown(message: string, words: readonly string[]): Promise<string> {
  const unknown = /^Unknown arguments?: (.+)$/m.exec(message)?.[1];
  if (unknown === undefined) return `${message}\nSee millrace --help.`;
  const known = [...configurableOptions().keys(), ...MORE_OPTIONS];
  const isOption = (name: string): boolean =>
    words.some((word) => word.startsWith('-') && word.replace(/^-+/, '').split('=')[0] === name);
  const hints = unknown.split(', ').map((word) => {
    if (words.includes(word) && !isOption(word)) return `There is no place for "${word}" in this command.`;
    const meant = nearest(word.trim(), known);
    if (known.includes(word.trim())) return `This command has no option --${word}.`;
    return meant === null
      ? `There is no option --${word}.`
      : `There is no option --${word}. Did you mean --${meant}?`;
  });
  return `${[...new Set(hints)].join('\n')}\nSee millrace --help.`;
}
