/** What a sync did, as a page in the folder of reports. */
import { join } from 'node:path';
import { makeFolder } from '../os/folder.ts';
import { replaceFile } from '../os/replace-file.ts';
import { messageOf } from '../text/error-message.ts';
import { plural } from '../text/format.ts';
import { type Block, type Cell, code, glue, heading, paragraph, table, text } from './nodes.ts';
import { serialise } from './serialise.ts';
import { ReportError } from './write.ts';

/** A workstream file, and what became of it. */
export interface SyncedRow {
  file: string;
  ids: readonly string[];
  /** Whether it has a commit on the branch. */
  committed: boolean;
  /** What is wrong with it, in a sentence each. */
  problems: readonly string[];
}

/** An issue, and what became of it. */
export interface IssueRow {
  subject: string;
  number: number | null;
  url: string | null;
  action: 'created' | 'updated' | 'unchanged' | 'failed';
  detail: string | null;
}

export interface SyncSummary {
  /** When it began, ISO 8601. */
  at: string;
  dryRun: boolean;
  branch: {
    name: string;
    commit: string | null;
    /** `unchanged`: a branch that is there says the same. */
    state: 'pushed' | 'unchanged' | 'not-pushed' | 'planned';
    /** Null where there is none. */
    remote: string | null;
    /** Why it was not pushed; null where it was, or was not to be. */
    detail: string | null;
  } | null;
  files: readonly SyncedRow[];
  /** Null where none were asked for. */
  issues: readonly IssueRow[] | null;
  /** What failed beside files and issues, in a sentence each. */
  problems: readonly string[];
}

/** Most rows of a table. */
const LISTED = 1_000;

function syncReport(summary: SyncSummary): string {
  const { at, files, issues, problems } = summary;
  const failed = files.filter((file) => file.problems.length > 0);
  return serialise([
    heading(1, glue('Sync of workstreams, '), code(at)),
    paragraph(branchSentence(summary)),
    ...(issues === null ? [] : [paragraph(issuesSentence(issues))]),
    ...(problems.length === 0
      ? []
      : [heading(2, 'Problems'), ...problems.map((each) => paragraph(text(each)))]),
    ...listed(
      `Files with problems (${failed.length} of ${files.length})`,
      ['File', 'Problem'],
      failed.flatMap(({ file, problems: found }) => found.map((problem) => [[code(file)], problem])),
    ),
    ...listed(
      'Issues that failed',
      ['Workstream', 'Why'],
      (issues ?? []).filter(isFailed).map(({ subject, detail }) => [[code(subject)], detail]),
    ),
    ...listed(
      'Files',
      ['File', 'Workstreams', 'Commit'],
      files.map(({ file, ids, committed }) => [[code(file)], ids.join(', '), committed ? 'yes' : 'no']),
    ),
    ...listed(
      'Issues',
      ['Workstream', 'Issue', ''],
      (issues ?? []).map(({ subject, number, url, action }) => [
        [code(subject)],
        linkTo(number, url),
        action,
      ]),
    ),
  ]);
}

function linkTo(number: number | null, url: string | null): Cell {
  if (number === null) return null;
  const label = glue(`#${number}`);
  return url === null || !URL.canParse(url) ? [label] : [{ type: 'link', url, children: [label] }];
}

const isFailed = ({ action }: IssueRow): boolean => action === 'failed';

function listed(title: string, columns: string[], rows: Cell[][]): Block[] {
  if (rows.length === 0) return [];
  const left = rows.length - LISTED;
  const more = left > 0 ? [paragraph(`and ${left} more`)] : [];
  return [heading(2, title), table(columns, rows.slice(0, LISTED)), ...more];
}

/** What became of the branch, in a sentence. */
export function branchSentence({ branch, files }: SyncSummary): string {
  if (branch === null) return 'No branch: there is no file to commit.';
  const { name, state, remote, detail } = branch;
  const commits = plural(files.filter(({ committed }) => committed).length, 'commit');
  const where = remote === null ? '' : ` ${state === 'unchanged' ? 'on' : 'to'} ${remote}`;
  if (state === 'unchanged') return `Nothing changed: ${name}${where} has every file as it is.`;
  if (state === 'pushed') return `Branch ${name} with ${commits}, pushed${where}.`;
  if (state === 'planned') return `Would make a branch such as ${name} with ${commits}, and push it${where}.`;
  return `Branch ${name} with ${commits}, not pushed: ${detail ?? 'no reason is known'}`;
}

/** What became of the issues, in a sentence. */
export function issuesSentence(issues: readonly IssueRow[]): string {
  const count = (wanted: IssueRow['action']): number =>
    issues.filter(({ action }) => action === wanted).length;
  return `Issues: ${count('created')} created, ${count('updated')} updated, ${count('unchanged')} unchanged, ${count('failed')} failed.`;
}

/** Writes the report of a sync that changed something. Returns its path. @throws ReportError */
export function writeSyncReport(folder: string, summary: SyncSummary): string {
  const time = summary.at.replaceAll(/[-:]|\.\d+Z$/g, '').replace('T', '-');
  const path = join(folder, `workstream_sync_${time}.md`);
  try {
    makeFolder(folder);
    replaceFile(path, syncReport(summary));
  } catch (error) {
    throw new ReportError(path, messageOf(error), error);
  }
  return path;
}
