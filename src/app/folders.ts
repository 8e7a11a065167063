/** The folders that a run makes. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder as make } from '../support/make-folder.ts';
import { Refusal } from './refusal.ts';

/** Makes a folder. @throws Refusal with exit code 3 when that is not possible. */
export function makeFolder(path: string): void {
  attempt(path, () => make(path));
}

/** Makes the state folder. What is in it is nobody's source: where it is new, git is told to look away. */
export function makeStateFolder(path: string): void {
  attempt(path, () => {
    const isNew = make(path) !== undefined;
    if (isNew) hideFromGit(path);
  });
}

/** Makes the state folder of a run again that was removed meanwhile. @throws the file system's error. */
export function remakeStateFolder(path: string): void {
  make(path);
  if (!existsSync(join(path, '.gitignore'))) hideFromGit(path);
}

const hideFromGit = (path: string): void => writeFileSync(join(path, '.gitignore'), '*\n');

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(3, `The folder ${path} can't be made: ${why}`, error);
  }
}
