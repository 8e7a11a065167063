/** The folder in which a tool step keeps its own files, beside the log of its execution. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import { makeOwnFolder, NEW_FILE, toolFolder } from '../../src/os/log-file.ts';
import { messageOf } from '../../src/text/error-message.ts';

/** What is in the folder. All paths are absolute. */
export interface Scratch {
  folder: string;
  prompt: string;
  /** Holds the prompt. */
  promptFile: string;
  /** Takes what the program prints about its version. */
  versionFile: string;
  /** Writes the text to a file that becomes the program's standard input, and returns its path; null for no text. */
  keepInput(text: string): string | null;
}

/**
 * Makes `NAME.tool/step-N` for the log file `NAME.log`, empty but for the prompt: nothing that an earlier attempt left
 * there can be taken for this one's. Returns the failure where that can't be done.
 */
export function prepareScratch(logFile: string, position: number, prompt: string): Scratch | Failure {
  const folder = join(toolFolder(logFile), `step-${position}`);
  const promptFile = join(folder, 'prompt.txt');
  try {
    // First, so that what is removed is not behind a link.
    makeOwnFolder(toolFolder(logFile));
    rmSync(folder, { recursive: true, force: true });
    makeOwnFolder(folder);
    writeFileSync(promptFile, prompt, NEW_FILE);
  } catch (error) {
    const message = messageOf(error);
    return { reason: 'workspace-error', detail: `The prompt could not be written: ${message}.` };
  }
  const keepInput = (text: string): string | null => {
    if (text === '') return null;
    if (text === prompt) return promptFile;
    const file = join(folder, 'input.txt');
    writeFileSync(file, text, NEW_FILE);
    return file;
  };
  return { folder, prompt, promptFile, versionFile: join(folder, 'version.txt'), keepInput };
}
