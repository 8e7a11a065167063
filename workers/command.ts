/** What to run: a shell line, or a program and its arguments. */
export interface Command {
  /** As messages show it. */
  shown: string;
  file: string;
  args: string[];
  shell: boolean;
  cwd: string;
  /** Added to what is inherited; undefined takes a variable away. */
  env: Record<string, string | undefined>;
}
