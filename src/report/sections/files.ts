import type { FileChange, RunDocumentHead } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, glue, heading, paragraph } from '../nodes.ts';
import { select } from '../query.ts';

/** Most rows in one table here. */
const LIMIT = 100;

/** The files that were modified and the commits that were made. */
export function files({ files: changed, commits, run, database }: RunDocumentHead): Block[] {
  if (changed.total === 0 && commits.total === 0) return [];
  const isKnown = changed.shown.some(({ status }) => status !== null);
  const rest = (column: string): string =>
    select(database, run.runId, `workstream_id, ${column}`, 'agent_results', ` AND ${column} <> '[]'`);
  return [
    heading(2, 'Files and commits'),
    paragraph(`${plural(changed.total, 'file')} modified, ${plural(commits.total, 'commit')} made.`),
    ...cappedTable(changed, {
      columns: isKnown ? ['File', 'Change', 'Modified by'] : ['File', 'Modified by'],
      row: (file) => fileRow(file, isKnown),
      limit: LIMIT,
      noun: 'file',
      rest: rest('files_modified'),
    }),
    ...cappedTable(commits, {
      columns: ['Commit', 'Made by'],
      row: ({ workstreamId, commit }) => [[code(commit, 100)], [code(workstreamId)]],
      limit: LIMIT,
      noun: 'commit',
      rest: rest('commits_created'),
    }),
  ];
}

function fileRow({ path, workstreams, ...change }: FileChange, isKnown: boolean): Cell[] {
  return [
    [code(path)],
    ...(isKnown ? [changeText(change)] : []),
    workstreams.flatMap((id, index) => (index === 0 ? [code(id)] : [glue(', '), code(id)])),
  ];
}

function changeText({ status, linesAdded, linesRemoved }: Omit<FileChange, 'path' | 'workstreams'>): Cell {
  if (status === null) return null;
  return linesAdded === null || linesRemoved === null ? status : `${status}, +${linesAdded} −${linesRemoved}`;
}
