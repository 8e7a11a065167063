import type { Shell } from '../../src/domain/workstream.ts';
import type { Containment } from '../../src/os/bubblewrap.ts';

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
  /** How it is contained; null where it is not. */
  containment: Containment | null;
}

/** The end of a process: how it exited, and how large its log was then if that is known; or why it was never started. */
export type ChildEnd =
  | { code: number | null; signal: NodeJS.Signals | null; logSize?: number }
  | { error: Error };

/** How a shell is started. */
export interface ShellCommand {
  file: string;
  args: string[];
  /** Whether Node has to find the shell, as on Windows. */
  shell: boolean;
}

/**
 * The program that runs this text. With several lines it ends at the first that fails, as it does under `bash`
 * whatever it has; under `bash` a pipeline also fails when any of its commands does. Line ends are those of Unix.
 */
export function shellCommand(text: string, shell: Shell): ShellCommand {
  const script = text.replaceAll(/\r(?=\n|$)/g, '');
  if (process.platform === 'win32' && shell === 'sh') return { file: script, args: [], shell: true };
  if (shell === 'bash') return { file: 'bash', args: ['-eo', 'pipefail', '-c', script], shell: false };
  const args = script.trim().includes('\n') ? ['-e', '-c', script] : ['-c', script];
  return { file: '/bin/sh', args, shell: false };
}
