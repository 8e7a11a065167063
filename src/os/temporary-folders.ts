/** Temporary folders whose names have the process that made them, so that those of killed processes are found. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isGone, ownIdentity } from './process-identity.ts';

/** The namespace of process ids, the process, its start, and what mkdtemp adds. */
const NAME = /^millrace-(?:fork|tune|proxy|copies|run)-(\d*)-(\d+)-(\d*)-\w{6}$/;

type Use = 'fork' | 'tune' | 'proxy' | 'copies' | 'run';

/**
 * Makes a temporary folder for this process, which only its user may enter.
 * @param parent the folder to make it in. Default: the system's for temporary files.
 */
export function makeTemporaryFolder(what: Use, parent = tmpdir()): string {
  const { pid, started } = ownIdentity();
  return mkdtempSync(join(parent, `millrace-${what}-${pidNamespace()}-${pid}-${started ?? ''}-`));
}

/** Whether there is such a folder at the path, of this user. */
export function isTemporaryFolder(path: string, what: Use): boolean {
  const name = basename(path);
  return NAME.test(name) && name.startsWith(`millrace-${what}-`) && isOurs(path);
}

/** The temporary folders of this user whose process has ended without removing them. */
export function abandonedFolders(): string[] {
  return parents().flatMap((parent) =>
    namesIn(parent).flatMap((name) => {
      const path = join(parent, name);
      return isAbandoned(name) && isOurs(path) ? [path] : [];
    }),
  );
}

/** The folders that temporary folders are made in, each once. */
function parents(): string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return [...new Set([tmpdir(), ...(runtime === undefined || runtime === '' ? [] : [runtime])])];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It does not exist.
    return [];
  }
}

/** False for a folder of another container, whose processes are not visible here. */
function isAbandoned(name: string): boolean {
  const [, namespace, pid, started] = NAME.exec(name) ?? [];
  if (pid === undefined || namespace !== pidNamespace()) return false;
  return isGone({ ...ownIdentity(), pid: Number(pid), started: started || null, hostname: hostname() });
}

function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid);
}

/** Empty where the system has none. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
  } catch {
    return '';
  }
}
