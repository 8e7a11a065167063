/** The branch of a sync: which files it has, what their commits say, and whether it is there already. */
import { statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { Workstream } from '../../domain/workstream.ts';
import { replaceFile } from '../../os/replace-file.ts';
import type { SyncSummary } from '../../report/sync-report.ts';
import { environmentRedactor } from '../../secrets/find-secrets.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { messageOf } from '../../text/error-message.ts';
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
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { Refusal } from '../refusal.ts';
import { type FolderFile, issueNumber } from './folder-files.ts';

const BRANCHES = 'feature/ws-sync-*';

interface BranchParts {
  repository: Repository;
  remote: Remote | null;
  paths: Paths;
  options: { write: boolean; dryRun: boolean };
  at: string;
  /** Of issues, by the id of their workstream. */
  numbers: ReadonlyMap<string, number>;
  run: RunOptions;
}

type Branch = NonNullable<SyncSummary['branch']>;

export class BranchWork {
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
      const { first } = definition;
      return number === undefined ? [] : [{ position: first.source.position, number, first }];
    });
    const missing = numbered.filter(({ first }) => issueNumber(first) === null);
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
    replaceFile(path, content, { mode: statSync(path).mode & 0o777 });
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
  const fields = ids.length === 1 && only !== undefined ? fieldsOf(only.first) : [];
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
