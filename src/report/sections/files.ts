import type { FileChange, RunDocumentHead, ShownFile } from '../../domain/run-record.ts';
import { plural } from '../../text/format.ts';
import { cappedTable } from '../cells.ts';
import { type Block, type Cell, code, codes, details, heading, paragraph, prose } from '../nodes.ts';
import { select } from '../query.ts';

/** Most files, commits and warnings in their tables. */
const FILES = 30;
const COMMITS = 10;
const WARNINGS = 50;

/** A longer table is closed until the reader opens it. */
const OPEN = 20;

/** The files that were modified and the commits that were made, and what was odd and not fatal. */
export function files({ files: changed, commits, outputFiles, run, database }: RunDocumentHead): Block[] {
  if (changed.total + commits.total + outputFiles.total === 0) return [];
  const isKnown = changed.shown.some(({ status }) => status !== null);
  const rest = (column: string): string =>
    select(database, run.runId, `workstream_id, ${column}`, 'agent_results', ` AND ${column} <> '[]'`);
  return [
    heading(2, 'Files and commits'),
    paragraph(`${plural(changed.total, 'file')} modified, ${plural(commits.total, 'commit')} made.`),
    ...folded(
      'Files',
      changed.total,
      cappedTable(changed, {
        columns: isKnown ? ['File', 'Change', 'Modified by'] : ['File', 'Modified by'],
        row: (file) => fileRow(file, isKnown),
        limit: FILES,
        noun: 'file',
        rest: rest('files_modified'),
      }),
    ),
    ...folded(
      'Output files',
      outputFiles.total,
      cappedTable(outputFiles, {
        columns: ['Output file', { right: 'Bytes' }, 'SHA-256', 'Made by'],
        row: madeRow,
        limit: FILES,
        noun: 'file',
        rest: select(database, run.runId, 'workstream_id, path, bytes, sha256', 'run_output_files'),
      }),
    ),
    ...folded(
      'Commits',
      commits.total,
      cappedTable(commits, {
        columns: ['Commit', 'Made by'],
        row: ({ workstreamId, commit }) => [[code(commit, 100)], [code(workstreamId)]],
        limit: COMMITS,
        noun: 'commit',
        rest: rest('commits_created'),
      }),
    ),
  ];
}

const folded = (what: string, count: number, blocks: Block[]): Block[] =>
  count > OPEN ? details(`${what} (${count})`, blocks) : blocks;

/** What was odd and not fatal. */
export function warnings({ warnings: all, run, database }: RunDocumentHead): Block[] {
  const rows = cappedTable(all, {
    columns: ['Workstream', 'Warning'],
    row: ({ workstreamId, text }) => [[code(workstreamId)], prose(text, 300)],
    limit: WARNINGS,
    noun: 'warning',
    rest: select(database, run.runId, 'workstream_id, warnings', 'agent_results', " AND warnings <> '[]'"),
  });
  return rows.length === 0 ? [] : [heading(2, 'Warnings'), ...folded('Warnings', all.total, rows)];
}

/** Characters of a hash that are shown. */
const HASH = 12;

function madeRow({ workstreamId, path, bytes, sha256, problem }: ShownFile): Cell[] {
  const hash: Cell = sha256 === null ? prose(problem ?? 'not known', 100) : [code(sha256.slice(0, HASH))];
  return [[code(path)], bytes, hash, [code(workstreamId)]];
}

function fileRow({ path, workstreams, ...change }: FileChange, isKnown: boolean): Cell[] {
  return [[code(path)], ...(isKnown ? [changeText(change)] : []), codes(workstreams, workstreams.length)];
}

function changeText({ status, linesAdded, linesRemoved }: Omit<FileChange, 'path' | 'workstreams'>): Cell {
  if (status === null) return null;
  return linesAdded === null || linesRemoved === null ? status : `${status}, +${linesAdded} −${linesRemoved}`;
}
