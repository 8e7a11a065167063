import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** What POSIX shells run without a file; `test -f x` is a command although no program may be called `test`. */
const BUILTINS = new Set(
  '. : [ alias bg cd command echo eval exec exit export false fc fg getopts hash jobs kill printf pwd read readonly return set shift test time times trap true type ulimit umask unalias unset wait if for while case until !'.split(
    ' ',
  ),
);

/** Programs that are commands by name: where one is not installed that is a failure, not prose. */
const KNOWN_TOOLS = new Set(
  'ant bazel bun bundle cargo cmake composer ctest deno docker dotnet eslint go gradle jest just make mix mocha mvn node npm npx nox phpunit pip pnpm poetry prettier pytest python python3 rake rspec ruby ruff rustc sh bash swift tox tsc uv vitest yarn'.split(
    ' ',
  ),
);

/**
 * Whether an acceptance test given as text is a command: its first word is a shell builtin, a known tool, a path that
 * exists, or a program on PATH, compared with case. Anything else is prose for a person to check.
 */
export function isCommand(text: string, folder: string): boolean {
  const first = firstWord(text);
  if (first === '') return false;
  if (BUILTINS.has(first) || KNOWN_TOOLS.has(first)) return true;
  if (first.includes('/')) return existsSync(resolve(folder, first));
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((path) => path !== '' && isExecutable(join(path, first)));
}

/** The first word after assignments such as `CI=1`. */
function firstWord(text: string): string {
  const words = text.trim().split(/\s+/);
  return words.find((word) => !/^[A-Za-z_]\w*=/.test(word)) ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for this user: either way the shell would not find it.
    return false;
  }
}
