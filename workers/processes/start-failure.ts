/** Finds out why a command was not started, by itself or by a shell. */
import { resolve } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import type { Command } from './command.ts';
import { findFile, whyNotExecutable } from './program-file.ts';

type Refused = Extract<Failure, { reason: 'command-not-executable' }>;
type Unstarted = Refused | Extract<Failure, { reason: 'command-not-found' }>;

/** The exit codes of a shell that could not run, or not find, a command. */
const CANNOT_RUN = 126;
const NOT_FOUND = 127;
const SYNTAX_ERROR = 2;

/** Error codes of a start that lie with the program's file. */
const OF_THE_FILE = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'ELOOP', 'EPERM']);

/** Whether another attempt would fail as well: the error is about the command, and not about the machine's state. */
export const liesWithTheCommand = (code: string): boolean => OF_THE_FILE.has(code) || code === TOO_LONG;

const TOO_LONG = 'E2BIG';

/** The error that Node reports for a command that it can't start. */
export function startError({ file }: Command, code: string): Error {
  const what = OF_THE_FILE.has(code) ? `spawn ${file} ${code}` : `spawn ${code}`;
  return Object.assign(new Error(what), { code });
}

/** The failure of a command that the system refused to start. */
export function startFailure(command: Command, error: Error): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (OF_THE_FILE.has(code)) return fileFailure(command, error.message);
  const hint =
    code === TOO_LONG
      ? ' Its arguments are too long: hand over what is long in a file, or by standard input.'
      : '';
  return {
    reason: 'workspace-error',
    detail: `\`${command.shown}\` could not be started: ${error.message}.${hint}`,
  };
}

function fileFailure(command: Command, said: string): Failure {
  const { file, cwd } = command;
  const found = explain(file, command, [cwd]);
  if (found !== null) return found;
  const isThere = findFile(file, cwd, pathOf(command)) !== null;
  if (!isThere) return { reason: 'command-not-found', command: file };
  const detail = `the system refuses to (${said}), although the file is there`;
  return { reason: 'command-not-executable', command: file, obstacle: 'refused', detail };
}

/**
 * The failure of a command that ended because a shell, or a program such as `env`, could not start another one; null
 * where none of them said so: a program may end with 126 and 127 for reasons of its own.
 */
export function notStarted(
  command: Command,
  exitCode: number | null,
  context: { tail: string; log: string | null },
): Failure | null {
  if (exitCode !== CANNOT_RUN && exitCode !== NOT_FOUND && exitCode !== SYNTAX_ERROR) return null;
  const failure = takenForScript(command) ?? complained(command, exitCode, context.tail);
  return failure === null ? null : { ...failure, tail: context.tail, log: context.log };
}

/** The C library hands what the system can't run to the shell, which fails to read it as a script. */
function takenForScript(command: Command): Refused | null {
  if (command.shell) return null;
  const found = explain(command.file, command, [command.cwd]);
  return found?.obstacle === 'wrong-format' ? found : null;
}

function complained(command: Command, exitCode: number, tail: string): Unstarted | null {
  const complaint = exitCode === SYNTAX_ERROR ? null : lastComplaint(tail);
  if (complaint === null) return null;
  const { program, said } = complaint;
  const found = explain(program, command, foldersOf(command)) ?? scriptThatWants(program, command);
  if (found !== null) return found;
  if (exitCode === CANNOT_RUN && said !== 'Not a directory') {
    return { reason: 'command-not-executable', command: program, obstacle: 'refused', detail: said };
  }
  // What a shell would find is not what was missing.
  const isFound = !program.includes('/') && findFile(program, command.cwd, pathOf(command)) !== null;
  return isFound ? null : { reason: 'command-not-found', command: program };
}

/** What is wrong with the file of this name; null where there is none, or nothing is seen to be wrong with it. */
function explain(name: string, command: Command, folders: readonly string[]): Refused | null {
  const path = pathOf(command);
  for (const folder of folders) {
    const file = findFile(name, folder, path);
    const found = file === null ? null : whyNotExecutable(file, path);
    if (found !== null) return { reason: 'command-not-executable', command: name, ...found };
  }
  return null;
}

const pathOf = ({ env }: Command): string => env['PATH'] ?? process.env['PATH'] ?? '';

const WORDS = 50;

const wordsOf = ({ file, args }: Command): string[] => [file, ...args].join(' ').split(/[\s;&|()'"]+/, WORDS);

/** The command's folder, and those that its line changes to. */
function foldersOf(command: Command): string[] {
  const words = wordsOf(command);
  const folders = [command.cwd];
  for (const [index, word] of words.entries()) {
    const to = words[index + 1];
    if (word === 'cd' && to !== undefined) folders.push(resolve(folders.at(-1) ?? command.cwd, to));
  }
  return folders;
}

/** A script among the command's words whose first line has `env` find this program. */
function scriptThatWants(program: string, command: Command): Refused | null {
  for (const word of wordsOf(command)) {
    const found = word === '' ? null : explain(word, command, foldersOf(command));
    if (found === null) continue;
    const { obstacle, detail } = found;
    if (obstacle === 'missing-interpreter' && detail === program) return found;
    if (obstacle === 'windows-line-ends' && `${detail}\r` === program) return found;
  }
  return null;
}

interface Complaint {
  program: string;
  /** The message about it. */
  said: string;
}

/** The messages about a command that can't be started, in English. */
const SAID =
  '(?<said>(?:command |required file |inaccessible or )?not found|No such file or directory|Permission denied|(?:Is|Not) a directory|Text file busy|(?:cannot execute.*: )?(?:Exec format error|required file not found))';
const SHELL = String.raw`(?:\S*/)?(?:ba|da|a|k|mk|z|busybox )?sh`;
const NAME = '(?<program>[^:]+)';
/** Programs that run another one. */
const RUNNERS =
  'env|nice|nohup|timeout|stdbuf|setsid|xargs|time|ionice|taskset|chrt|flock|strace|unshare|chroot';
const QUOTED = `(?:'(?<quoted>[^']+)'|‘(?<curly>[^’]+)’|(?<program>[^:'‘]+))`;

const COMPLAINTS: readonly RegExp[] = [
  // bash: ./x.sh: /bin/sh^M: bad interpreter: No such file or directory
  /^\S+: (?:line \d+: )?(?<program>[^\s:]+): (?<said>\S+: bad interpreter): .*$/,
  // ./x.sh: 3: frob: not found / ./x.sh: line 3: frob: command not found, of a script
  new RegExp(`^[^:]+: (?:line )?\\d+: (?:(?:exec|eval): )*${NAME}: ${SAID}$`),
  // bash: line 1: frob: command not found / sh: frob: not found, in any language
  new RegExp(
    `^${SHELL}: (?:[^:]*\\d+: )?(?:(?:exec|eval): )*${NAME}: (?<said>[^:]+(?:: Exec format error)?)$`,
  ),
  /^zsh:(?:\d+:)? (?<said>command not found|permission denied|no such file or directory): (?<program>.+)$/,
  // env: 'frob': No such file or directory / timeout: failed to run command 'frob': Permission denied
  new RegExp(
    `^(?:\\S*/)?(?:${RUNNERS}): (?:failed to (?:run command|execute) |cannot run )?${QUOTED}: (?<said>[^:]+)$`,
  ),
];

/** The last one that shells, and programs that run another one, print. */
function lastComplaint(tail: string): Complaint | null {
  for (const line of tail.split('\n').toReversed()) {
    for (const pattern of COMPLAINTS) {
      const found = pattern.exec(line)?.groups;
      const program = found?.['program'] ?? found?.['quoted'] ?? found?.['curly'];
      if (program !== undefined)
        return { program: program.replace(/\\r$/, '\r'), said: found?.['said'] ?? '' };
    }
  }
  return null;
}
