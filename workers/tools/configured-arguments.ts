/** Whether the configuration's arguments hold one of these options, as `--name`, `--name=value` or `-nvalue`. */
export function hasOption(args: readonly string[], ...names: string[]): boolean {
  return args.some((arg) =>
    names.some((name) =>
      name.startsWith('--') ? arg === name || arg.startsWith(`${name}=`) : isShort(arg, name),
    ),
  );
}

/** The value of the last of these options; null where there is none. */
export function optionValue(args: readonly string[], ...names: string[]): string | null {
  let value: string | null = null;
  for (const [index, arg] of args.entries()) {
    for (const name of names) {
      if (arg === name) value = args[index + 1] ?? null;
      else if (name.startsWith('--') && arg.startsWith(`${name}=`)) value = arg.slice(name.length + 1);
      else if (isShort(arg, name)) value = arg.slice(name.length).replace(/^=/, '');
    }
  }
  return value;
}

/** `-m`, `-mMODEL` and `-m=MODEL`, and not the double dash of another option. */
const isShort = (arg: string, name: string): boolean => !name.startsWith('--') && arg.startsWith(name);
