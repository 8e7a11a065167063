/** Brings the workstreams of a folder to where a team works: a branch with a commit for each file, and issues. */
import type { AgentResult } from '../../domain/agent-result.ts';
import { copyOf, type Workstream } from '../../domain/workstream.ts';
import { syncIssues, type Ticket, type TicketState } from '../../github/issues.ts';
import { placeOf } from '../../github/place.ts';
import { issueText, issueTitle } from '../../report/issue-text.ts';
import {
  type IssueRow,
  type SyncedRow,
  type SyncSummary,
  writeSyncReport,
} from '../../report/sync-report.ts';
import { ReportError } from '../../report/write.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { latestResults } from '../../store/write/published.ts';
import { isoTimestamp, plural } from '../../text/format.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { numbersOf } from './accepted-work.ts';
import { BranchWork } from './branch-work.ts';
import { connect, findCheckout, type GitHub, PublishedStore, type Where } from './connect.ts';
import { type DefinitionGroup, type FolderFile, issueNumber, readFolder } from './folder-files.ts';

export interface SyncOptions extends Where {
  issues: boolean;
  /** Writes the numbers of issues into the user's files too. */
  write: boolean;
  /** Writes nothing, anywhere. */
  dryRun: boolean;
  /** Told what a person should know while it goes on. */
  notify: (sentence: string) => void;
}

export interface SyncResult extends SyncSummary {
  /** Path of the report; null where nothing was written. */
  report: string | null;
}

/**
 * A failure is a row of the result, and the rest goes on. Nothing is written where nothing changed.
 * @throws Refusal with exit code 2 where it can't begin, 4 where there is no workstream.
 */
export async function sync(run: RunOptions, paths: Paths, options: SyncOptions): Promise<SyncResult> {
  const at = isoTimestamp(Date.now());
  const { repository, remote } = await findCheckout(paths.cwd, options);
  const github = options.issues ? await connect(options, remote, options.notify) : null;
  const { files, redactor } = readFolder(run, paths);
  const store = new PublishedStore(paths);
  try {
    const place = github?.place ?? placeOf({ ...options, remoteUrl: remote?.url ?? null, env: process.env });
    const numbers =
      typeof place === 'string' ? new Map<string, number>() : numbersOf(paths, place.key, 'issue');
    const work = { files, redactor, paths, store, options, known: new Map(numbers) };
    const issues = github === null ? null : await bringIssues(github, work);
    for (const { subject, number } of issues ?? []) if (number !== null) numbers.set(subject, number);
    const branchWork = new BranchWork({ repository, remote, paths, options, at, numbers, run });
    const branch = await branchWork.bring(files);
    const problems = [...branchWork.problems, ...store.problems];
    const rows = files.map(
      ({ file, ids, problems: found, path }): SyncedRow => ({
        file,
        ids,
        problems: found,
        committed: branchWork.committed.has(path),
      }),
    );
    const summary: SyncSummary = { at, dryRun: options.dryRun, branch, files: rows, issues, problems };
    return { ...summary, ...reported(summary, paths) };
  } finally {
    store.close();
  }
}

/** Writes the report of a sync that wrote something. */
function reported(summary: SyncSummary, paths: Paths): Pick<SyncResult, 'report' | 'problems'> {
  const { dryRun, branch, issues, problems } = summary;
  const isChanged =
    (branch !== null && branch.state !== 'unchanged') ||
    (issues ?? []).some(({ action }) => action === 'created' || action === 'updated');
  if (dryRun || !isChanged) return { report: null, problems };
  try {
    return { report: writeSyncReport(paths.reports, summary), problems };
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    return { report: null, problems: [...problems, error.message] };
  }
}

// Issues.

interface IssueWork {
  files: readonly FolderFile[];
  redactor: Redactor;
  paths: Paths;
  store: PublishedStore;
  options: SyncOptions;
  /** Numbers of issues that were kept before, by the id of the workstream. */
  known: ReadonlyMap<string, number>;
}

async function bringIssues({ api, place }: GitHub, work: IssueWork): Promise<IssueRow[]> {
  const { files, redactor, paths, store, options, known } = work;
  const definitions = dependenciesFirst(files.flatMap((file) => file.definitions));
  const ids = definitions.flatMap(({ members }) => members);
  const results = withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, AgentResult>() : latestResults(connection, ids),
  );
  const bases = new Map(definitions.flatMap(({ base, members }) => members.map((id) => [id, base] as const)));
  const tickets = definitions.map(({ first, base: subject, members }): Ticket => {
    const asked = issueNumber(first);
    const shown = redactor.fields(withBases(first, bases));
    // The title of a member may hold its values.
    const title = first.matrix === null ? shown.title : `a matrix of ${plural(members.length, 'workstream')}`;
    const last = members.flatMap((id) => results.get(id) ?? []);
    return {
      subject,
      asked,
      known: known.get(subject) ?? null,
      text: (numbers, before) => ({
        title: issueTitle({ id: subject, title }),
        content: issueText(shown, { numbers, results: last, before }),
        state: stateOf(members, results),
      }),
    };
  });
  return syncIssues(api, {
    tickets,
    write: !options.dryRun,
    onNumber: (subject, number) => {
      if (known.get(subject) !== number)
        store.link({ repository: place.key, kind: 'issue', subject, number });
    },
  });
}

/** The definitions in an order in which those come first that others depend on, so that these can name their issues. */
function dependenciesFirst(definitions: readonly DefinitionGroup[]): DefinitionGroup[] {
  const groups = new Map(definitions.map((group) => [group.base, group]));
  const baseOf = new Map(
    definitions.flatMap(({ base, members }) => members.map((id) => [id, base] as const)),
  );
  const ordered = new Set<DefinitionGroup>();
  const open: { group: DefinitionGroup; next: number }[] = [];
  const seen = new Set<string>();
  for (const [id, group] of groups) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push({ group, next: 0 });
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const dependency = top.group.first.dependsOn[top.next];
      top.next += 1;
      if (dependency === undefined) {
        ordered.add(top.group);
        open.pop();
        continue;
      }
      const base = baseOf.get(dependency.id) ?? dependency.id;
      const needed = groups.get(base);
      if (needed === undefined || seen.has(base)) continue;
      seen.add(base);
      open.push({ group: needed, next: 0 });
    }
  }
  return [...ordered];
}

/** With the matrixes that it depends on in place of all their members. */
function withBases(workstream: Workstream, bases: ReadonlyMap<string, string>): Workstream {
  const named = new Map(
    workstream.dependsOn.map(({ id, when }) => {
      const base = bases.get(id) ?? id;
      return [base, { id: base, when }] as const;
    }),
  );
  return copyOf(workstream, { dependsOn: [...named.values()] });
}

function stateOf(members: readonly string[], results: ReadonlyMap<string, AgentResult>): TicketState {
  const states = members.map((id) => results.get(id)?.status ?? 'pending');
  return (['failed', 'skipped', 'pending'] as const).find((state) => states.includes(state)) ?? 'completed';
}
