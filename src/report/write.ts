import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../os/folder.ts';
import { isGone, ownIdentity, type ProcessIdentity } from '../os/process-identity.ts';

/** A report that could not be written; `cause` is the file system's error. */
export class ReportError extends Error {
  override name = 'ReportError';
  /** The report's path. */
  readonly path: string;

  constructor(path: string, why: string, cause?: unknown) {
    super(`The report ${path} could not be written: ${why}`, cause === undefined ? undefined : { cause });
    this.path = path;
  }
}

/** The file name of a run's report. */
export function reportFileName(runId: string): string {
  return `multi_agent_consolidated_${runId}.md`;
}

/**
 * Writes a run's report into the folder, which is created when it isn't there, and gives the report's path. The file
 * appears whole or not at all, and replaces an earlier report of the same run.
 * @throws {ReportError} when the folder or the file can't be written, or the run id is no file name.
 */
export function writeReport(folder: string, runId: string, text: string): string {
  const path = join(folder, reportFileName(runId));
  if (!/^[\w][\w.-]*$/.test(runId)) throw new ReportError(path, `"${runId}" can't be part of a file name.`);
  const unfinished = join(folder, `.${reportFileName(runId)}.${writer(ownIdentity())}.tmp`);
  try {
    makeFolder(folder);
    for (const path of abandonedReports(folder)) removeIfAllowed(path);
    writeWhole(unfinished, path, text);
  } catch (error) {
    throw new ReportError(path, error instanceof Error ? error.message : String(error), error);
  }
  return path;
}

/** Who writes an unfinished report, as part of its name. */
const writer = ({ pid, hostname, pidNamespace }: ProcessIdentity): string =>
  `${pid}.${hostname}${pidNamespace ? `+${pidNamespace}` : ''}`;

/** The unfinished report of a process, whose id, machine and namespace are the groups. */
const UNFINISHED = /^\.multi_agent_consolidated_.*\.md\.(\d+)\.(.+?)(?:\+([^+]+))?\.tmp$/;

/** What processes left that were killed while they wrote, where the folder may be listed. */
export function abandonedReports(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => {
      const [, pid, host = '', pidNamespace = null] = UNFINISHED.exec(name) ?? [];
      return pid !== undefined && isGone({ pid: Number(pid), started: null, hostname: host, pidNamespace });
    })
    .map((name) => join(folder, name));
}

/** Another user's, in a folder where everybody may only remove their own, is no reason to write no report. */
function removeIfAllowed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays for whoever may.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Through a file of its own, which does not stay when it could not take its place. */
function writeWhole(unfinished: string, path: string, text: string): void {
  // A link in its place would lead elsewhere.
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, 'wx');
  try {
    try {
      writeAll(file, Buffer.from(text));
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  fsyncSync(file);
}
