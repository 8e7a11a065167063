/** What agents and the fork server say to each other: one JSON object a line. */

/** From an agent: starts a command as the leader of a process group of its own, without input. */
export interface LaunchRequest {
  /** Unique on its connection. */
  id: number;
  /** A program, or a line for the shell. */
  file: string;
  args: string[];
  shell: boolean;
  /** Absolute path of the folder that it runs in. */
  cwd: string;
  /** All its variables. */
  variables: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the file that its output is added to. */
  output: string;
  /** By which it is known that this is the file that the agent has open. */
  inode: number;
  /** How long it is given to end, should its agent be gone. */
  graceSeconds: number;
}

/** To the agent. `refused` means that nothing was started. */
export type LaunchReply =
  | { type: 'started'; id: number; pid: number }
  | { type: 'refused'; id: number }
  | { type: 'ended'; id: number; code: number | null; signal: NodeJS.Signals | null };
