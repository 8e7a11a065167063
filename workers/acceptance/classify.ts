import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { BUILTINS, EVERYDAY, KEYWORDS, KNOWN_TOOLS, PREFIXES, SENTENCE } from './words.ts';

/**
 * Whether an acceptance test given as text is a command. Its first word has to be one that a shell would find, or
 * the line has to be written as only commands are; and it must not read like a sentence. What is neither is prose
 * for a person to check: a command taken for prose is listed and never counted as passed.
 */
export function isCommand(text: string, folder: string): boolean {
  const words = commandWords(text);
  const [first] = words;
  if (first === undefined) return false;
  if (KEYWORDS.has(first)) return /(?:;|\n)\s*(?:then|do|esac)\b/.test(text);
  const rest = words.slice(1);
  const [after = ''] = PREFIXES.has(first) ? commandWords(rest.join(' ')) : [];
  if (after !== '' && isFound(after, folder)) return isCommand(rest.join(' '), folder);
  const sentence = words.filter((word) => SENTENCE.has(word.toLowerCase().replace(/[.,;:!?]+$/, ''))).length;
  const marks = marksOf(rest);
  if (!isFound(first, folder))
    return /^[a-z\d][\w.+-]*$|^\.{1,2}\/|^~\//.test(first) && isWrittenAsCommand(first, rest, sentence);
  if (sentence !== marks) return marks > sentence;
  return sentence > 0 || rest.length < 2 || !EVERYDAY.has(first);
}

/** For a first word that no shell would find: only what no sentence has makes it a command. */
function isWrittenAsCommand(first: string, rest: string[], sentence: number): boolean {
  const isPath = /^(?:\.{1,2}|~)\//.test(first);
  const hasFlag = rest.some((word) => /^--?[A-Za-z]/.test(word));
  const isJoined = rest.some((word) => word === '&&' || word === '||');
  return (isPath || hasFlag || isJoined) && sentence === 0;
}

/** The words after assignments such as `CI=1` and brackets; what is in quotes is one word and says nothing. */
function commandWords(text: string): string[] {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|(?<![A-Za-z])'[^']*'/g, '""').trim();
  const all = bare.replace(/^[({]\s*/, '').split(/\s+/);
  const start = all.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  return start === -1 ? [] : all.slice(start).filter((word) => word !== '');
}

/** How much in a line is written as in a command: a flag or an operator counts twice, a path or a quoted word once. */
function marksOf(rest: readonly string[]): number {
  return rest.reduce((sum, word) => {
    if (/^--?[A-Za-z]/.test(word) || /^(?:&&|\|\|?|!?==?|-)$/.test(word)) return sum + 2;
    if (/^\d?>>?(?:&\d|$|[^\d\s])/.test(word) || /\$[({A-Za-z]/.test(word)) return sum + 2;
    return /[/*=]|""|^\.$|;$|\.[a-z]{1,4}$/.test(word) ? sum + 1 : sum;
  }, 0);
}

/** Whether a shell would find it, or this list says that it should. */
function isFound(first: string, folder: string): boolean {
  if (BUILTINS.has(first) || KNOWN_TOOLS.has(first)) return true;
  if (first.includes('/')) return isFile(resolve(folder, first));
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((path) => path !== '' && isExecutable(join(path, first)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    // Not there, or not for this user: either way the shell would not find it.
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // As above.
    return false;
  }
}
