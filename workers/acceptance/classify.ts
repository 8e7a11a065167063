import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { findProgram } from '../processes/program-file.ts';

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

/** The words after assignments such as `CI=1` and brackets; text in quotes is one word that decides nothing. */
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
  return findProgram(first, folder, process.env['PATH'] ?? '') !== null;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Not there, so the shell would not find it.
    return false;
  }
}

// The words that distinguish a command from a sentence. docs/workstream-format.md has the rules.

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** What POSIX shells run without a file; `test -f x` is a command although no program may be called `test`. */
const BUILTINS = words(
  '. : [ [[ alias bg cd command echo eval exec exit export false fc fg getopts hash jobs kill printf pwd read readonly return set shift source test time times trap true type ulimit umask unalias unset wait',
);

/** Words that begin a compound command. */
const KEYWORDS = words('if for while until case select');

/** Words before a command that leave it a command. */
const PREFIXES = words('! time env nice nohup sudo exec command');

/** Programs that are commands by name: where one is not installed that is a failure, not prose. */
const KNOWN_TOOLS = words(
  'act actionlint ansible ant bandit bash bats bazel bazelisk behave biome black buf bun bunx bundle cargo checkov clang-tidy clippy cmake codespell composer corepack cppcheck ctest curl cypress deno detekt docker docker-compose dotnet eslint flake8 ginkgo git gitleaks go gofmt golangci-lint gosec gotestsum gradle gradlew hadolint helm isort jasmine java javac jest jq just karma knip ktlint kubectl lerna lua make markdownlint maven mix mocha mvn mvnw mypy newman ng ninja node nosetests nox npm npx nx oxlint perl php phpstan phpunit pip pip3 pipenv playwright pnpm podman poetry pre-commit prettier pulumi py.test pylint pyright pytest python python3 rake rspec rubocop ruby ruff rustc rustfmt sbt semgrep sh shellcheck shfmt sqlite3 staticcheck stylelint swift tap terraform terragrunt tflint tox trivy tsc tsx turbo twine uv uvx valgrind vale vitest vue-tsc wget yamllint yarn zig zsh Rscript',
);

/** Programs whose names are everyday words: without anything that marks a command, the text is a sentence. */
const EVERYDAY = words(
  'at batch chat check clear column compare convert cut date dig dir display edit env expand factor file find fold free groups head host identify import info install join kill last less link locate login look mail mesg more mount nice open paste patch print ps read reset rev say screen script select set shift size sort split start stat strings strip sum sync tail tee test time top touch tree truncate true type update users view wait wall watch w which who whois write yes zip',
);

/** Words of sentences that are hardly ever arguments. */
const SENTENCE = words(
  "a an the is are was were be been being should must can cannot can't could may might will would shall has have had having does doesn't do don't did isn't aren't that this these those whose when whenever where while with without and or nor but not no of to into from for at than as if then so it its it's they their there every each any both only still even under above below between within after before during until through because by in on sure correctly properly successfully again everywhere works exists returns succeeds passes passed loads contains matches renders looks see",
);
