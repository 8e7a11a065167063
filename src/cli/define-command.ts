import type { Argv, ArgumentsCamelCase, CommandModule } from 'yargs';

/** What a command's builder makes of its arguments. */
export type ArgumentsOf<B> = B extends (yargs: Argv) => Argv<infer A> ? ArgumentsCamelCase<A> : never;

/** A command: how it is called, and the action that gives its exit code. */
interface Definition<A> {
  command: string | string[];
  describe: string;
  builder: (yargs: Argv) => Argv<A>;
  /** Loads what the command needs, so that help and other commands need not. */
  action: (argv: ArgumentsCamelCase<A>) => Promise<number>;
}

export function defineCommand<A>({ action, ...definition }: Definition<A>): CommandModule<object, A> {
  return {
    ...definition,
    builder: (yargs) => definition.builder(yargs),
    handler: async (argv) => {
      process.exitCode = await action(argv);
    },
  };
}
