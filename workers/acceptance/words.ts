/** The words by which a command and a sentence are told apart. docs/workstream-format.md has the rules. */

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** What POSIX shells run without a file; `test -f x` is a command although no program may be called `test`. */
export const BUILTINS = words(
  '. : [ [[ alias bg cd command echo eval exec exit export false fc fg getopts hash jobs kill printf pwd read readonly return set shift source test time times trap true type ulimit umask unalias unset wait',
);

/** Words that begin a compound command. */
export const KEYWORDS = words('if for while until case select');

/** Words before a command that leave it a command. */
export const PREFIXES = words('! time env nice nohup sudo exec command');

/** Programs that are commands by name: where one is not installed that is a failure, not prose. */
export const KNOWN_TOOLS = words(
  'act actionlint ansible ant bandit bash bats bazel bazelisk behave biome black buf bun bunx bundle cargo checkov clang-tidy clippy cmake codespell composer corepack cppcheck ctest curl cypress deno detekt docker docker-compose dotnet eslint flake8 ginkgo git gitleaks go gofmt golangci-lint gosec gotestsum gradle gradlew hadolint helm isort jasmine java javac jest jq just karma knip ktlint kubectl lerna lua make markdownlint maven mix mocha mvn mvnw mypy newman ng ninja node nosetests nox npm npx nx oxlint perl php phpstan phpunit pip pip3 pipenv playwright pnpm podman poetry pre-commit prettier pulumi py.test pylint pyright pytest python python3 rake rspec rubocop ruby ruff rustc rustfmt sbt semgrep sh shellcheck shfmt sqlite3 staticcheck stylelint swift tap terraform terragrunt tflint tox trivy tsc tsx turbo twine uv uvx valgrind vale vitest vue-tsc wget yamllint yarn zig zsh Rscript',
);

/** Programs whose names are words of every day: without anything that marks a command, a sentence. */
export const EVERYDAY = words(
  'at batch chat check clear column compare convert cut date dig dir display edit env expand factor file find fold free groups head host identify import info install join kill last less link locate login look mail mesg more mount nice open paste patch print ps read reset rev say screen script select set shift size sort split start stat strings strip sum sync tail tee test time top touch tree truncate true type update users view wait wall watch w which who whois write yes zip',
);

/** Words of sentences that are hardly ever arguments. */
export const SENTENCE = words(
  "a an the is are was were be been being should must can cannot can't could may might will would shall has have had having does doesn't do don't did isn't aren't that this these those whose when whenever where while with without and or nor but not no of to into from for at than as if then so it its it's they their there every each any both only still even under above below between within after before during until through because by in on sure correctly properly successfully again everywhere works exists returns succeeds passes passed loads contains matches renders looks see",
);
