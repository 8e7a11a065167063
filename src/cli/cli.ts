/** The command line: parses arguments, calls a command, and turns errors into exit codes. */
import createYargs, { type Argv } from 'yargs';
import { packageVersion } from '../os/package-version.ts';
import { printable } from '../text/printable.ts';
import { checkedWords, explainUnknown } from './check-words.ts';
import { commands } from './commands.ts';
import { readConfig } from './config.ts';
import { configurableOptions } from './options.ts';
import { outliveReaders } from './standard-output.ts';
import { projectRedactor } from './uncaught.ts';
import { UsageError } from './usage-error.ts';

const EXIT_CODES = `Exit codes:
  0 every workstream completed      1 the run ended and some did not
  2 usage or configuration error    3 the run could not be recorded or did not finish
  4 nothing matched                 130 interrupted, 143 terminated

Options can also be set in millrace.config.json, or in variables such as MILLRACE_AGENTS.`;

/** Runs the command line. Sets `process.exitCode`; never rejects. */
export async function main(args: string[]): Promise<void> {
  outliveReaders();
  try {
    if (args.length === 2 && args.includes('--version') && args.includes('--verbose')) return await details();
    const config = await readConfig(process.cwd(), process.env, configurableOptions());
    await build(isCompleting(args) ? args : checkedWords(args), config).parseAsync();
  } catch (error) {
    process.exitCode = await explain(error);
  }
}

async function details(): Promise<void> {
  const { versionDetails } = await import('../app/version-details.ts');
  process.stdout.write(`${versionDetails()}\n`);
}

function build(args: string[], config: Record<string, unknown>): Argv {
  const yargs = createYargs(args);
  for (const add of Object.values(commands)) add(yargs, config);
  return yargs
    .scriptName('millrace')
    .locale('en')
    .usage('$0 [command]\n\nRuns a folder of workstreams on N agents in real parallel.')
    .completion('completion', 'Print a script for shell completion')
    .strict()
    .parserConfiguration({ 'strip-dashed': false })
    .version('version', 'Show version number; with --verbose also what is used', packageVersion())
    .help()
    .alias('help', 'h')
    .epilogue(EXIT_CODES)
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .fail((message, error) => {
      throw failureOf(message, error);
    });
}

/** Unfinished words are completed, not checked. */
const isCompleting = (args: readonly string[]): boolean => args.includes('--get-yargs-completions');

/** What the parser itself finds wrong is a usage error; anything else was thrown by a command. */
function failureOf(message: string, error: Error | undefined): Error {
  return error === undefined || error.name === 'YError' ? new UsageError(message) : error;
}

/** Prints the error on standard error, without secrets and with what was typed made printable. Returns the exit code. */
async function explain(error: unknown): Promise<number> {
  const { environmentRedactor } = await import('../secrets/find-secrets.ts');
  const redactor = projectRedactor() ?? environmentRedactor();
  const say = (text: string, exitCode: number): number => {
    process.stderr.write(`millrace: ${printable(redactor.text(text))}\n`);
    return exitCode;
  };
  const { Refusal } = await import('../app/refusal.ts');
  if (error instanceof Refusal) return say(error.message, error.exitCode);
  if (error instanceof UsageError) return say(await explainUnknown(error.message, process.argv.slice(2)), 2);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return say(`Millrace itself failed, please report it:\n${text}`, 3);
}
