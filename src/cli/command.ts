import type { ArgumentsCamelCase, Argv, Options } from 'yargs';
import { lastGiven } from './options.ts';

/** The arguments that a command's builder describes. */
export type ArgumentsOf<B> = B extends (yargs: Argv) => Argv<infer A> ? ArgumentsCamelCase<A> : never;

/** How a command is called. Loads nothing, because help shows them all. */
interface CommandDefinition<A> {
  command: string | string[];
  describe: string;
  /** By name; what the configuration says of others is not for this command. */
  options: Record<string, Options>;
  builder: (yargs: Argv) => Argv<A>;
}

const DID_NOT_FINISH = 3;

/**
 * Binds a definition to its action, which returns the exit code and is loaded when it is called. The result
 * adds the command to the parser, with its part of the configuration.
 */
export function bind<A>(
  { command, describe, options, builder }: CommandDefinition<A>,
  action: (argv: ArgumentsCamelCase<A>) => Promise<number>,
): (yargs: Argv, config: Record<string, unknown>) => void {
  return (yargs, config) => {
    const own = Object.fromEntries(Object.entries(config).filter(([name]) => name in options));
    yargs.command<A>({
      command,
      describe,
      builder: (scoped) => {
        // Words that belong to no option are all kept.
        scoped.coerce(Object.keys(options), lastGiven);
        return builder(scoped.config(own));
      },
      handler: async (argv) => {
        // The exit code of a process that ends because nothing keeps it alive, although its command has not finished.
        process.exitCode = DID_NOT_FINISH;
        process.exitCode = await action(argv);
      },
    });
  };
}
