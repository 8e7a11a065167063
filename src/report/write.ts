import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../os/folder.ts';
import { abandonedTemporaries, replaceFile } from '../os/replace-file.ts';
import { messageOf } from '../text/error-message.ts';

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

/** The forms of a report that are files of their own: Markdown, and the HTML page. */
export type ReportFile = 'md' | 'html';

/** The file name of a run's report. */
export function reportFileName(runId: string, form: ReportFile): string {
  return `multi_agent_consolidated_${runId}.${form}`;
}

/**
 * Writes a run's report into the folder, which is made where it is missing, and returns the report's path. The file
 * appears whole or not at all, and replaces an earlier report of the same run.
 * @throws {ReportError} when the folder or the file can't be written, or the run id is no file name.
 */
export function writeReport(folder: string, runId: string, form: ReportFile, text: string): string {
  const path = join(folder, reportFileName(runId, form));
  if (!/^[\w][\w.-]*$/.test(runId)) throw new ReportError(path, `"${runId}" can't be part of a file name.`);
  try {
    makeFolder(folder);
    for (const path of abandonedReports(folder)) removeIfAllowed(path);
    // The page can be made again at any time, and a disk takes longer to store it than it takes to make.
    replaceFile(path, text, { durable: form === 'md' });
  } catch (error) {
    throw new ReportError(path, messageOf(error), error);
  }
  return path;
}

/** Removes the page of an earlier session of a run, which would tell something else than its report. */
export const removePage = (folder: string, runId: string): void =>
  removeIfAllowed(join(folder, reportFileName(runId, 'html')));

/** Unfinished reports of processes that were killed while they wrote, where the folder may be listed. */
export const abandonedReports = (folder: string): string[] =>
  abandonedTemporaries(folder, /multi_agent_consolidated_.*\.(?:md|html)/);

/** A file of another user that may not be removed does not keep the report from being written. */
function removeIfAllowed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays for a user who may.
  }
}
