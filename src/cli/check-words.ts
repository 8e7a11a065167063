/** Checks words that the parser would accept silently, or answer with a stack: options without their value. */
import type { Options } from 'yargs';
import { nearest } from '../text/nearest.ts';
import { definitions } from './definitions.ts';
import { UsageError } from './usage-error.ts';

/** What may follow an option. `optional` is a word that need not be there. */
type Takes = 'nothing' | 'text' | 'number' | 'optional';

interface Known {
  /** As it is written, with its dashes. */
  flag: string;
  takes: Takes;
}

/**
 * The words for the parser. What follows `--` are names, and never options.
 * @throws UsageError for an option without its value, with an empty one, or with one that can't be its own.
 */
export function checkedWords(words: readonly string[]): string[] {
  const known = knownOptions();
  const separator = words.indexOf('--');
  const before = separator === -1 ? words : words.slice(0, separator);
  const names = separator === -1 ? [] : words.slice(separator + 1);
  const option = names.find((name) => name.startsWith('-'));
  if (option !== undefined)
    throw new UsageError(
      `Only names of workstreams can follow "--", and "${option}" is none: names do not begin with "-".`,
    );
  let next = 0;
  while (next < before.length) next += checkWord(before[next] ?? '', before[next + 1], known);
  return [...before, ...names];
}

/** Returns how many words belong to it. */
function checkWord(word: string, following: string | undefined, known: ReadonlyMap<string, Known>): number {
  if (!word.startsWith('-')) return 1;
  const equals = word.indexOf('=');
  const name = equals === -1 ? word : word.slice(0, equals);
  const own = equals === -1 ? undefined : word.slice(equals + 1);
  if (!word.startsWith('--')) return checkShort(word, following, known);
  const negated = known.get(kebab(name.replace(/^--no-/, '--')));
  if (name.startsWith('--no-') && negated !== undefined && negated.takes !== 'nothing')
    throw new UsageError(`${negated.flag} takes a value; there is no ${name}.`);
  const option = known.get(kebab(name));
  return option === undefined ? 1 : checkValue(option, own, following);
}

/** `-j 8`, `-j8` and `-j=8`; letters that take no value may come before it. */
function checkShort(word: string, following: string | undefined, known: ReadonlyMap<string, Known>): number {
  for (let at = 1; at < word.length; at++) {
    const option = known.get(`-${word[at]}`);
    // The parser refuses letters that it does not know.
    if (option === undefined) return 1;
    const rest = word.slice(at + 1);
    if (option.takes === 'nothing' && !rest.startsWith('=')) continue;
    return checkValue(option, rest === '' ? undefined : rest.replace(/^=/, ''), following);
  }
  return 1;
}

function checkValue({ flag, takes }: Known, own: string | undefined, following: string | undefined): number {
  if (takes === 'optional') {
    if ((own ?? following)?.trim() === '')
      throw new UsageError(`${flag} is followed by an empty word; write a name, or leave it out.`);
    return 1;
  }
  if (takes === 'nothing') {
    if (own === undefined || own === 'true' || own === 'false') return 1;
    throw new UsageError(`${flag} takes no value, but was given "${own}".`);
  }
  const value = own ?? (following === undefined || isOption(following) ? undefined : following);
  if (value === undefined) throw new UsageError(`${flag} needs a value.`);
  if (value.trim() === '') throw new UsageError(`${flag} needs a value, but was given an empty one.`);
  const isNumber = Number.isFinite(Number(value));
  if (takes === 'number' && !isNumber) throw new UsageError(`${flag} takes a number, not "${value}".`);
  return own === undefined ? 2 : 1;
}

/** A number may begin with a minus, and `-` alone is standard output. */
const isOption = (word: string): boolean => /^-(?!$|\.?\d)/.test(word);

/** The options of all commands: what one is called means the same in each. */
function knownOptions(): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const name of ['help', 'version']) known.set(`--${name}`, { flag: `--${name}`, takes: 'nothing' });
  known.set('-h', { flag: '-h', takes: 'nothing' });
  for (const { options } of Object.values(definitions)) {
    const all: [string, Options][] = Object.entries(options);
    for (const [name, { alias, ...option }] of all) {
      const takes = takesOf(option);
      known.set(`--${name}`, { flag: `--${name}`, takes });
      if (typeof alias === 'string') known.set(`-${alias}`, { flag: `-${alias}`, takes });
    }
  }
  return known;
}

function takesOf({ type, requiresArg }: Options): Takes {
  if (type === 'boolean') return 'nothing';
  if (requiresArg !== true) return 'optional';
  return type === 'number' ? 'number' : 'text';
}

/** The parser takes `--logFile` for `--log-file`. */
const kebab = (flag: string): string => flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * Adds the option that was probably meant to yargs' message about unknown arguments.
 * @param words that were typed: the message does not distinguish options from names.
 */
export async function explainUnknown(message: string, words: readonly string[]): Promise<string> {
  const unknown = /^Unknown arguments?: (.+)$/m.exec(message)?.[1];
  if (unknown === undefined) return `${message}\nSee millrace --help.`;
  const known = [...knownOptions().keys()].flatMap((flag) => (flag.startsWith('--') ? [flag.slice(2)] : []));
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
