/** What a workstream changed, found out by looking and never by asking it. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const fileChangeSchema = z.object({
  /** Relative to the workspace, with `/`. */
  path: z.string(),
  /** The path it had before it was renamed; null otherwise. */
  from: z.string().nullable(),
  status: z.enum(['added', 'modified', 'deleted', 'renamed']),
  /** Lines added and removed; null where they can't be counted: a binary file, or no git. */
  linesAdded: count.nullable(),
  linesRemoved: count.nullable(),
});
/** One file that is not as it was. */
export type ChangedFile = z.infer<typeof fileChangeSchema>;

export const changesSchema = z.object({
  /**
   * How they are known: `git` compares two trees; `scope-look` compares `files_scope` before and after, where there
   * is no git or no isolation, and what another workstream may have changed at the same time is not in it.
   */
  source: z.enum(['git', 'scope-look']),
  files: z.array(fileChangeSchema),
  /** Full hashes, oldest first, those that Millrace made included. */
  commits: z.array(z.string()),
  /** Branch that holds them, or a ref of Millrace's where no branch could be set; null for none, and without git. */
  branch: z.string().nullable(),
  /** The commit it started from, and the one that holds everything it left; null without git, or if none does. */
  base: z.string().nullable(),
  head: z.string().nullable(),
  /** SHA-256 of the content that changed: the same work twice has the same hash. Null when nothing changed. */
  contentHash: z.string().nullable(),
  /** Changed files that hold the marks of a conflict, left unresolved. */
  conflictMarkers: z.array(z.string()).default([]),
  /** What could not be known, in a sentence each: ignored files, submodules, what others changed too. */
  notes: z.array(z.string()),
});
/** The changes of one attempt. */
export type Changes = z.infer<typeof changesSchema>;

export const mergeSchema = z.object({
  /**
   * `pending` until it is merged, and its tests with it; `mergeable` where nothing is to be merged and nothing would stand
   * in the way of it; `breaks-tests` and `outside-scope` for work that stays on its own branch: merged it makes a test
   * fail, or it changed files outside its scope and such work is not to be merged.
   */
  status: z.enum([
    'pending',
    'merged',
    'mergeable',
    'conflict',
    'breaks-tests',
    'outside-scope',
    'nothing-to-merge',
    'failed',
  ]),
  /** The run's branch; empty where there is to be none. */
  branch: z.string(),
  /** The commit on the run's branch that took it in; null when it was not. */
  commit: z.string().nullable(),
  /** With whom it conflicts: the workstreams merged before that touched the same files. */
  conflictsWith: z.array(z.string()),
  /** Files in conflict. */
  files: z.array(z.string()),
  /** What went wrong otherwise, or what else is to be known, in a sentence; empty for nothing. */
  detail: z.string(),
  /**
   * Of work that breaks tests, the workstream merged before it together with which the test fails; of work outside its
   * scope, the one that it builds on and that has such work. Null for none: it fails alone.
   */
  partner: z.string().nullable().default(null),
  /** The first test that fails on the merged tree, by its name; null for none. */
  failingTest: z.string().nullable().default(null),
  /** What that test printed; null for nothing. */
  logFile: z.string().nullable().default(null),
  /** Files that it changed outside its scope; empty without a scope. */
  outsideScope: z.array(z.string()).default([]),
  /** Whether tests passed on the tree of `commit`; false where there are none. */
  tested: z.boolean().default(false),
});
/** What became of a workstream's commits in the run's own branch. */
export type Merge = z.infer<typeof mergeSchema>;

/** What is true of work of which nothing else is known than this. */
export const mergeOf = (fields: Pick<Merge, 'status'> & Partial<Merge>): Merge => ({
  branch: '',
  commit: null,
  conflictsWith: [],
  files: [],
  detail: '',
  partner: null,
  failingTest: null,
  logFile: null,
  outsideScope: [],
  tested: false,
  ...fields,
});
