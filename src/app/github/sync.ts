/** Brings the workstreams of a folder to where a team works: a branch with a commit for each file, and issues. */
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import type { AgentResult } from '../../domain/agent-result.ts';
import { formatProblem, type Problem } from '../../domain/plan.ts';
import { copyOf, type Workstream } from '../../domain/workstream.ts';
import { syncIssues, type Ticket, type TicketState } from '../../github/issues.ts';
import { type GitHubPlace, placeOf } from '../../github/place.ts';
import { replaceFile } from '../../os/replace-file.ts';
import { issueText, issueTitle } from '../../report/issue-text.ts';
import {
  type IssueRow,
  type SyncedRow,
  type SyncSummary,
  writeSyncReport,
} from '../../report/sync-report.ts';
import { ReportError } from '../../report/write.ts';
import { environmentRedactor } from '../../secrets/find-secrets.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { latestResults, linksOf } from '../../store/read/published.ts';
import { messageOf } from '../../text/error-message.ts';
import { isoTimestamp } from '../../text/format.ts';
import { listFiles } from '../../workstream/load.ts';
import { readFile } from '../../workstream/read-file.ts';
import { withIssueNumbers } from '../../workstream/set-issue.ts';
import { GitError } from '../../worktree/git.ts';
import { fetchCommit, pushBranch, type Remote, remoteBranches } from '../../worktree/remote/remote.ts';
import {
  ignoredPaths,
  inMessage,
  localBranches,
  makeSyncBranch,
  type SyncContent,
  type SyncedFile,
  syncContent,
  syncedHash,
} from '../../worktree/remote/sync-branch.ts';
import type { Repository } from '../../worktree/repository.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { prepare } from '../prepare.ts';
import { redactPrepared } from '../redact-prepared.ts';
import { Refusal } from '../refusal.ts';
import { connect, findCheckout, type GitHub, PublishedStore, type Where } from './connect.ts';

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

/** A file of the folder with the workstreams in it. */
interface FolderFile {
  /** As messages show it. */
  file: string;
  /** Absolute. */
  path: string;
  /** One of each matrix, in the order of the file. */
  definitions: Workstream[];
  ids: string[];
  problems: string[];
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
    const numbers = typeof place === 'string' ? new Map<string, number>() : knownIssues(paths, place);
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

/** Every file of the folder, with what is wrong with it. @throws Refusal as `prepare` does. */
function readFolder(run: RunOptions, paths: Paths): { files: FolderFile[]; redactor: Redactor } {
  const prepared = prepare(run, paths);
  const { redactor, prepared: redacted } = redactPrepared(prepared, run, paths);
  const { workstreams, broken, problems } = redacted.plan;
  const shown = (path: string): string => {
    const below = relative(paths.cwd, path);
    return below.startsWith(`..${sep}`) || below === '..' ? path : below;
  };
  const files = new Map<string, FolderFile>();
  for (const name of listFiles(paths.workstreams)) {
    const path = join(paths.workstreams, name);
    const file = shown(path);
    files.set(file, { file, path, definitions: [], ids: [], problems: [] });
  }
  const byPlace = [...workstreams, ...broken].toSorted((a, b) => a.source.position - b.source.position);
  for (const each of byPlace) {
    const file = files.get(each.source.file);
    const id = 'base' in each ? each.base : each.id;
    if (file === undefined || file.ids.includes(id)) continue;
    file.ids.push(id);
    if ('base' in each) file.definitions.push(each);
  }
  for (const problem of problems) {
    if (problem.severity === 'error') files.get(problem.file)?.problems.push(errorText(problem));
  }
  return { files: [...files.values()], redactor };
}

/** The problem without its file, which is named beside it. */
const errorText = (problem: Problem): string =>
  formatProblem(problem)
    .slice(problem.file.length)
    .replace(/^:?\s*(?=\d|error)/, '')
    .replace(/^(\d+:\d+): error: |^error: /, '$1 ');

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

const knownIssues = (paths: Paths, { key }: GitHubPlace): Map<string, number> =>
  withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, number>() : linksOf(connection, key, 'issue'),
  );

async function bringIssues({ api, place }: GitHub, work: IssueWork): Promise<IssueRow[]> {
  const { files, redactor, paths, store, options, known } = work;
  const definitions = dependenciesFirst(files.flatMap((file) => file.definitions));
  const ids = definitions.flatMap(({ members }) => members);
  const results = withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, AgentResult>() : latestResults(connection, ids),
  );
  const bases = new Map(
    definitions.flatMap(({ base, members }) => members.map((id) => [id, base.base] as const)),
  );
  const tickets = definitions.map(({ base, members }): Ticket => {
    const subject = base.base;
    const asked = issueNumber(base);
    const shown = redactor.fields(withBases(base, bases));
    const last = members.flatMap((id) => results.get(id) ?? []);
    return {
      subject,
      asked,
      known: known.get(subject) ?? null,
      text: (numbers, before) => ({
        title: issueTitle({ id: subject, title: shown.title }),
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

/** A definition and the ids of its members, which is its own without a matrix. */
interface DefinitionGroup {
  base: Workstream;
  members: string[];
}

/** The definitions in an order in which those come first that others depend on, so that these can name their issues. */
function dependenciesFirst(definitions: readonly Workstream[]): DefinitionGroup[] {
  const groups = new Map<string, DefinitionGroup>();
  const baseOf = new Map<string, string>();
  for (const base of definitions) groups.set(base.base, { base, members: [] });
  for (const { base, id } of definitions) {
    groups.get(base)?.members.push(id);
    baseOf.set(id, base);
  }
  const ordered = new Set<DefinitionGroup>();
  const open: { group: DefinitionGroup; next: number }[] = [];
  const seen = new Set<string>();
  for (const [id, group] of groups) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push({ group, next: 0 });
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const dependency = top.group.base.dependsOn[top.next];
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

/** The number that `ccpm_issue` names: 12, "12" or "#12"; null for other text. */
export function issueNumber({ extra }: Pick<Workstream, 'extra'>): number | null {
  const named = extra['ccpm_issue'];
  const text = typeof named === 'string' || typeof named === 'number' ? String(named) : '';
  const [, digits] = /^#?(\d{1,9})$/.exec(text) ?? [];
  return digits === undefined || Number(digits) === 0 ? null : Number(digits);
}

function stateOf(members: readonly string[], results: ReadonlyMap<string, AgentResult>): TicketState {
  const states = members.map((id) => results.get(id)?.status ?? 'pending');
  return (['failed', 'skipped', 'pending'] as const).find((state) => states.includes(state)) ?? 'completed';
}

// The branch.

const BRANCHES = 'feature/ws-sync-*';

interface BranchParts {
  repository: Repository;
  remote: Remote | null;
  paths: Paths;
  options: SyncOptions;
  at: string;
  /** Of issues, by the id of their workstream. */
  numbers: ReadonlyMap<string, number>;
  run: RunOptions;
}

type Branch = NonNullable<SyncSummary['branch']>;

class BranchWork {
  readonly #parts: BranchParts;
  /** Absolute paths of the files that the branch has a commit for. */
  readonly committed = new Set<string>();
  readonly problems: string[] = [];

  constructor(parts: BranchParts) {
    this.#parts = parts;
  }

  async bring(files: readonly FolderFile[]): Promise<SyncSummary['branch']> {
    const { repository, options } = this.#parts;
    try {
      const synced = await this.#files(files);
      if (synced.length === 0) return null;
      const content = await syncContent(repository, synced, !options.dryRun);
      return await this.#publish(content);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      this.committed.clear();
      this.problems.push(`git failed: ${error.message}.`);
      return null;
    }
  }

  /** The files that can be committed; the others get a problem. */
  async #files(files: readonly FolderFile[]): Promise<SyncedFile[]> {
    const { repository, run, paths } = this.#parts;
    const inRepository = new Map(files.map((file) => [file, this.#pathOf(file.path)]));
    if ([...inRepository.values()].includes(null))
      throw new Refusal(
        2,
        `${paths.workstreams} is outside of the repository ${repository.root}, so its files can't be committed there.`,
      );
    const ignored = await ignoredPaths(
      repository,
      [...inRepository.values()].flatMap((path) => path ?? []),
    );
    const redactor = environmentRedactor(run.project.redact);
    const synced: SyncedFile[] = [];
    for (const [file, path] of inRepository) {
      if (path === null) continue;
      const taken = ignored.has(path)
        ? 'git ignores it; track it with git add -f, or change .gitignore'
        : this.#take(file, path, redactor);
      if (typeof taken === 'string') file.problems.push(`Not committed: ${taken}.`);
      else if (taken !== null) {
        synced.push(taken);
        this.committed.add(file.path);
      }
    }
    return synced;
  }

  /** From the root of the repository; null where it is elsewhere. */
  #pathOf(path: string): string | null {
    const { repository, paths } = this.#parts;
    // The repository's root has no links in it, and the folder that Millrace was started in may have been named by one.
    const below = relative(paths.cwd, path);
    const full = resolve(repository.root, repository.prefix, below);
    const inside = relative(repository.root, full);
    return inside.startsWith('..') ? null : inside.split(sep).join('/');
  }

  /** Returns why it can't be committed otherwise; null for a folder, and where that is a problem of the file already. */
  #take(file: FolderFile, path: string, redactor: Redactor): SyncedFile | string | null {
    const { options, numbers } = this.#parts;
    const read = readFile(file.path);
    // What is not UTF-8 is a problem of the file already, and is committed as it is.
    const text = read.kind === 'text' ? read.text : null;
    if (read.kind === 'folder') return null;
    if (read.kind === 'unusable' && read.at === null) return file.problems.length > 0 ? null : read.message;
    if (text !== null && redactor.text(text) !== text)
      return 'it holds the value of a secret variable of this environment, which would be published';
    const numbered = file.definitions.flatMap((definition) => {
      const number = numbers.get(definition.base);
      return number === undefined ? [] : [{ position: definition.source.position, number, definition }];
    });
    const missing = numbered.filter(({ definition }) => issueNumber(definition) === null);
    const edited = text === null || missing.length === 0 ? text : withIssueNumbers(text, missing);
    if (edited === null && text !== null)
      file.problems.push(
        `The numbers of its issues could not be written into it: ${missing.map(({ number }) => `#${number}`).join(', ')}.`,
      );
    const content = edited === null || edited === text ? null : edited;
    if (content !== null && options.write && !options.dryRun) {
      const problem = rewrite(file.path, content);
      if (problem !== null) file.problems.push(problem);
    }
    return { path, content, subject: subjectOf(file), trailers: trailersOf(file, path, numbers) };
  }

  async #publish(content: SyncContent): Promise<Branch> {
    const { repository, remote, options, at } = this.#parts;
    const there =
      remote === null ? new Map<string, string>() : await remoteBranches(repository, remote, BRANCHES);
    const local = await localBranches(repository, BRANCHES);
    const known = typeof there === 'string' ? local : new Map([...local, ...there]);
    const name = freeName(at, known);
    const remoteName = remote?.name ?? null;
    const found = await this.#findSame(content, typeof there === 'string' ? new Map() : there, local);
    if (found?.isThere === true)
      return { ...found.branch, state: 'unchanged', remote: remoteName, detail: null };
    if (options.dryRun) return { name, commit: null, state: 'planned', remote: remoteName, detail: null };
    const branch = found?.branch ?? { name, commit: await makeSyncBranch(repository, name, content) };
    const detail = await this.#push(branch, there);
    return { ...branch, state: detail === null ? 'pushed' : 'not-pushed', remote: remoteName, detail };
  }

  /**
   * The branch that says the same: the newest of the remote; where that has none, what was merged last into what is checked
   * out; or one that was not pushed yet.
   */
  async #findSame(
    content: SyncContent,
    there: ReadonlyMap<string, string>,
    local: ReadonlyMap<string, string>,
  ): Promise<{ branch: Pick<Branch, 'name' | 'commit'>; isThere: boolean } | null> {
    const { repository, remote } = this.#parts;
    const [newest] = [...there].toSorted(newestFirst);
    if (newest !== undefined && remote !== null) {
      const [name, commit] = newest;
      if (local.get(name) !== commit) await fetchCommit(repository, remote, name);
      if ((await syncedHash(repository, commit, false)) === content.hash)
        return { branch: { name, commit }, isThere: true };
    } else if ((await syncedHash(repository, repository.head, true)) === content.hash) {
      return { branch: { name: 'what is checked out', commit: repository.head }, isThere: true };
    }
    for (const [name, commit] of [...local].toSorted(newestFirst)) {
      const isUnpushed = !there.has(name) && (newest === undefined || name > newest[0]);
      if (isUnpushed && (await syncedHash(repository, commit, false)) === content.hash)
        return { branch: { name, commit }, isThere: remote === null };
    }
    return null;
  }

  /** Returns why it is not on the remote; null where it is. */
  async #push(
    { name, commit }: Pick<Branch, 'name' | 'commit'>,
    there: Map<string, string> | string,
  ): Promise<string | null> {
    const { repository, remote } = this.#parts;
    if (remote === null) return 'the repository has no remote. Add one with: git remote add origin URL';
    if (commit === null) return null;
    const problem =
      typeof there === 'string'
        ? there
        : await pushBranch(repository, remote, { branch: name, commit, expected: null });
    return problem === null
      ? null
      : `${problem}. Sync again, or push it with: git push ${remote.name} ${name}`;
  }
}

/** By the times in their names. */
const newestFirst = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  a < b ? 1 : -1;

/** A name with the time, which no branch has. */
function freeName(at: string, known: ReadonlyMap<string, string>): string {
  const time = at.replaceAll(/[-:]|\.\d+Z$/g, '').replace('T', '-');
  const name = `${BRANCHES.slice(0, -1)}${time}`;
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name}-${number}`;
    if (!known.has(free)) return free;
  }
}

/** Writes the user's file in place, with the permissions it has. Returns why not; null where it did. */
function rewrite(path: string, content: string): string | null {
  try {
    if (existsSync(path)) replaceFile(path, content, { mode: statSync(path).mode & 0o777 });
    return null;
  } catch (error) {
    return `Its issue could not be written into it: ${messageOf(error)}.`;
  }
}

const stemOf = (file: string): string => file.replace(/^.*[/\\]/, '').replace(/\.json$/, '');

const subjectOf = ({ file, ids }: FolderFile): string => {
  const [only] = ids;
  return `sync: ${inMessage(ids.length === 1 && only !== undefined ? only : stemOf(file))}`;
};

/** Most workstreams of a file that its commit names. */
const NAMED = 50;

/** The fields of the workstreams of a file; of a file with several their ids. */
function trailersOf(
  { ids, definitions, problems }: FolderFile,
  path: string,
  numbers: ReadonlyMap<string, number>,
): SyncedFile['trailers'] {
  const [only] = definitions;
  const fields = ids.length === 1 && only !== undefined ? fieldsOf(only) : [];
  const issues = definitions.flatMap(({ base }) => numbers.get(base) ?? []).slice(0, NAMED);
  const [problem] = problems;
  const all: [string, string][] = [
    ['File', path],
    ...ids.slice(0, NAMED).map((id): [string, string] => ['Workstream', id]),
    ...(ids.length > NAMED ? [['Workstreams', String(ids.length)] satisfies [string, string]] : []),
    ...fields,
    ...issues.map((number): [string, string] => ['Issue', String(number)]),
    ...(problem === undefined ? [] : [['Problem', problem] satisfies [string, string]]),
  ];
  return all.map(([name, value]) => [name, inMessage(value)]);
}

function fieldsOf(workstream: Workstream): [string, string][] {
  const {
    title,
    kind,
    priority,
    dependsOn,
    steps,
    filesScope,
    filesCreate,
    conflictGroup,
    gate,
    track,
    extra,
  } = workstream;
  const tools = steps.flatMap((step) => (step.kind === 'tool' ? [step.tool] : []));
  const known: [string, string | null][] = [
    ['Title', title],
    ['Kind', kind],
    ['Priority', priority === 0 ? null : String(priority)],
    ['Depends-On', dependsOn.map(({ id }) => id).join(', ')],
    ['Tool', [...new Set(tools)].join(', ')],
    ['Files-Scope', filesScope.join(', ')],
    ['Files-Create', filesCreate.join(', ')],
    ['Conflict-Group', conflictGroup],
    ['Gate', gate === null ? null : String(gate)],
    ['Track', track],
    ...['openspec_change', 'doc_id', 'capability'].map((name): [string, string | null] => {
      const value = extra[name];
      return [
        trailerName(name),
        typeof value === 'string' || typeof value === 'number' ? String(value) : null,
      ];
    }),
  ];
  return known.flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value]]));
}

/** `doc_id` is `Doc-Id`. */
const trailerName = (field: string): string =>
  field.replaceAll(
    /(?:^|_)([a-z])/g,
    (found, letter: string) => `${found.startsWith('_') ? '-' : ''}${letter.toUpperCase()}`,
  );
