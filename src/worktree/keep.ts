/** Points refs at what an attempt left, so that it outlives its worktree. What a ref pointed to before stays kept. */
import { IDENTITY } from './commit.ts';
import { complaint, type GitResult } from './git.ts';
import { attemptOf, type KeptRef } from './kept-refs.ts';
import { isAncestor } from './merging/merge-trees.ts';
import { attemptRef, branchRef, workstreamBranch } from './names.ts';
import { gitWrite, type Repository } from './repository.ts';
import type { Worktree } from './worktree.ts';

export interface Kept {
  /**
   * The branch that holds it, or the attempt's ref where the branch could not be set, which `notes` say; null where
   * there was nothing to hold.
   */
  branch: string | null;
  notes: string[];
}

/** The refs as they were before. */
export interface Before {
  refs: readonly KeptRef[];
  /** Whether the worktree's process is gone: the branch may be a later one's, which began to count attempts again. */
  rescued: boolean;
}

/**
 * Keeps `commit` under the attempt's own ref always, and under the workstream's branch unless that is checked out
 * elsewhere, has commits that are not Millrace's, or, for one that is rescued, is another attempt's.
 */
export async function keep(
  repository: Repository,
  worktree: Worktree,
  commit: string,
  before: Before,
): Promise<Kept | { problem: string }> {
  const attempt = await attemptUpdates(repository, worktree, commit, before);
  const branch = await branchUpdate(repository, worktree, commit, before);
  const { runId, workstreamId, attempt: number } = worktree.owner;
  const ref = attemptRef(runId, workstreamId, number);
  if (branch.kind === 'update') {
    const both = await update(repository, [...attempt, branch.line]);
    if (both.exitCode === 0) return { branch: branch.name, notes: [] };
    const alone = await update(repository, attempt);
    if (alone.exitCode !== 0) return { problem: complaint(alone) };
    const note = `The branch ${branch.name} could not be set, so its work is only kept as ${ref}: ${complaint(both)}.`;
    return { branch: ref, notes: [note] };
  }
  const alone = await update(repository, attempt);
  if (alone.exitCode !== 0) return { problem: complaint(alone) };
  return branch.note === null
    ? { branch: branch.name, notes: [] }
    : { branch: before.rescued ? null : ref, notes: [branch.note] };
}

/** Updates all refs or none. */
async function update(repository: Repository, lines: readonly string[]): Promise<GitResult> {
  if (lines.length === 0) return { exitCode: 0, stdout: '', stderr: '' };
  return gitWrite(repository, ['update-ref', '--stdin'], { env: IDENTITY, input: `${lines.join('\n')}\n` });
}

async function attemptUpdates(
  repository: Repository,
  { owner }: Worktree,
  commit: string,
  { refs, rescued }: Before,
): Promise<string[]> {
  const name = attemptRef(owner.runId, owner.workstreamId, owner.attempt);
  const before = refs.find((ref) => ref.name === name);
  if (before === undefined) return [`create ${name} ${commit}`];
  if (before.commit === commit) return [];
  // The process that resumed the run counted attempts again: the ref and the result are from it.
  if (rescued) {
    const isKept = ofAttempt(name, refs).some((ref) => ref.commit === commit);
    return isKept ? [] : [`create ${freeName(`${name}-earlier`, refs)} ${commit}`];
  }
  const move = `update ${name} ${commit} ${before.commit}`;
  if (await isAncestor(repository, before.commit, commit)) return [move];
  return [`create ${freeName(`${name}-earlier`, refs)} ${before.commit}`, move];
}

/** The ref of an attempt, and those with what was set aside of it. */
export const ofAttempt = (name: string, refs: readonly KeptRef[]): KeptRef[] =>
  refs.filter((ref) => ref.name === name || ref.name.startsWith(`${name}-`));

/** `name-1`, or the first number that is not taken. */
function freeName(name: string, refs: readonly KeptRef[]): string {
  const taken = new Set(refs.map((ref) => ref.name));
  let number = 1;
  while (taken.has(`${name}-${number}`)) number += 1;
  return `${name}-${number}`;
}

/** Keeps what came after the work was judged, beside it. Content that is kept in this way already is not kept again. */
export async function keepLater(
  repository: Repository,
  { owner }: Worktree,
  commit: string,
  refs: readonly KeptRef[],
): Promise<Kept | { problem: string }> {
  const prefix = `${attemptRef(owner.runId, owner.workstreamId, owner.attempt)}-after`;
  const before = refs.find((ref) => ref.name.startsWith(`${prefix}-`) && ref.commit === commit);
  const name = before?.name ?? freeName(prefix, refs);
  const kept = before === undefined ? await update(repository, [`create ${name} ${commit}`]) : null;
  if (kept !== null && kept.exitCode !== 0) return { problem: complaint(kept) };
  return {
    branch: null,
    notes: [`What changed in its worktree after its work was judged is kept as ${name}.`],
  };
}

type BranchUpdate =
  | { kind: 'update'; name: string; line: string }
  | { kind: 'leave'; name: string | null; note: string | null };

async function branchUpdate(
  repository: Repository,
  { owner, root }: Worktree,
  commit: string,
  { refs, rescued }: Before,
): Promise<BranchUpdate> {
  const name = workstreamBranch(owner.runId, owner.workstreamId);
  const ref = branchRef(name);
  const before = refs.find((kept) => kept.name === ref);
  if (before === undefined) {
    const isResumed =
      rescued && refs.some((kept) => attemptOf(kept) === owner.attempt && kept.commit !== commit);
    if (commit === owner.start || isResumed) return { kind: 'leave', name: null, note: null };
    return { kind: 'update', name, line: `create ${ref} ${commit}` };
  }
  if (before.commit === commit) return { kind: 'leave', name, note: null };
  if (rescued) {
    return { kind: 'leave', name: null, note: `The branch ${name} is another attempt's.` };
  }
  const { checkedOutIn } = before;
  const attempt = attemptRef(owner.runId, owner.workstreamId, owner.attempt);
  if (checkedOutIn !== null && checkedOutIn !== root) {
    const note = `The branch ${name} was not moved, because it is checked out in ${checkedOutIn}; its work is kept as ${attempt}.`;
    return { kind: 'leave', name: null, note };
  }
  const ours = refs.some((kept) => attemptOf(kept) !== null && kept.commit === before.commit);
  if (!ours && !(await isAncestor(repository, before.commit, commit))) {
    const note = `The branch ${name} was not moved, because it has commits that are not Millrace's; its work is kept as ${attempt}.`;
    return { kind: 'leave', name: null, note };
  }
  return { kind: 'update', name, line: `update ${ref} ${commit} ${before.commit}` };
}

/**
 * Keeps commits that were made in a worktree and that no ref reaches, under names of their own: what was reset,
 * amended or left behind. Returns the refs.
 */
export async function keepAbandoned(
  repository: Repository,
  { owner }: Worktree,
  tips: readonly string[],
  refs: readonly KeptRef[],
): Promise<string[] | { problem: string }> {
  const name = `${attemptRef(owner.runId, owner.workstreamId, owner.attempt)}-abandoned`;
  const made: KeptRef[] = [];
  for (const commit of tips) {
    const free = freeName(name, [...refs, ...made]);
    made.push({ name: free, commit, tree: '', parents: [], checkedOutIn: null });
  }
  const result = await update(
    repository,
    made.map((ref) => `create ${ref.name} ${ref.commit}`),
  );
  return result.exitCode === 0 ? made.map((ref) => ref.name) : { problem: complaint(result) };
}
