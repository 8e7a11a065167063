import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../os/replace-file.ts';
import { messageOf } from '../text/error-message.ts';
import { CONFIG_FILE } from './config.ts';
import { UsageError } from './usage-error.ts';

/**
 * Writes the number of agents of a machine into the configuration file of `folder`; comments and the form of the file
 * stay, and a reader never sees half of it. Returns the file's path.
 * @throws UsageError where it can't be written.
 */
export async function saveAgents(folder: string, machine: string, agents: number): Promise<string> {
  const { applyEdits, modify } = await import('jsonc-parser');
  const path = join(folder, CONFIG_FILE);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '{}\n';
  const edits = modify(text, ['machines', machine, 'agents'], agents, { formattingOptions: formOf(text) });
  try {
    replace(path, applyEdits(text, edits));
  } catch (error) {
    const why = messageOf(error);
    throw new UsageError(`${CONFIG_FILE}: it can't be written: ${why}.`);
  }
  return path;
}

/** As the file is indented already. */
function formOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const insertSpaces = !indent.startsWith('\t');
  return {
    insertSpaces,
    tabSize: insertSpaces ? indent.length : 1,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

/** Follows a link, and keeps the file's mode. */
function replace(path: string, text: string): void {
  if (!existsSync(path)) return replaceFile(path, text);
  const real = realpathSync(path);
  replaceFile(real, text, { mode: statSync(real).mode });
}
