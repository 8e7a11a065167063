import type { Shell } from '../src/domain/shell.ts';

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
