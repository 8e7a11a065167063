import type { ArgumentsCamelCase, Argv } from 'yargs';

/** What a command's builder makes of its arguments. */
export type ArgumentsOf<B> = B extends (yargs: Argv) => Argv<infer A> ? ArgumentsCamelCase<A> : never;

/** How a command is called. Loads nothing, because help shows them all. */
interface Definition<A> {
  command: string | string[];
  describe: string;
  builder: (yargs: Argv) => Argv<A>;
}

/**
 * Binds a definition to its action, which gives the exit code and loads what it needs when it is called. The result
 * adds the command to the parser.
 */
export function bind<A>(
  { command, describe, builder }: Definition<A>,
  action: (argv: ArgumentsCamelCase<A>) => Promise<number>,
): (yargs: Argv) => void {
  return (yargs) => {
    yargs.command<A>({
      command,
      describe,
      builder,
      handler: async (argv) => {
        process.exitCode = await action(argv);
      },
    });
  };
}
