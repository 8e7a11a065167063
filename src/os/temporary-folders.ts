/** Temporary folders whose names have the process that made them, so that those of killed processes are found. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isGone, ownIdentity } from './process-identity.ts';

/** The namespace of process ids, the process, its start, and what mkdtemp adds. */
const NAME = /^millrace-(?:fork|tune|proxy)-(\d*)-(\d+)-(\d*)-\w{6}$/;

/** Makes a temporary folder for this process. */
export function makeTemporaryFolder(what: 'fork' | 'tune' | 'proxy'): string {
  const { pid, started } = ownIdentity();
  return mkdtempSync(join(tmpdir(), `millrace-${what}-${pidNamespace()}-${pid}-${started ?? ''}-`));
}

/** The temporary folders of this user whose process has ended without removing them. */
export function abandonedFolders(): string[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const path = join(tmpdir(), name);
    return isAbandoned(name) && isOurs(path) ? [path] : [];
  });
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
