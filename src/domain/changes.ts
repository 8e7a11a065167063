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
  /** `mergeable` where nothing is to be merged and nothing would stand in the way of it. */
  status: z.enum(['merged', 'mergeable', 'conflict', 'nothing-to-merge', 'failed']),
  /** The run's branch; empty where there is to be none. */
  branch: z.string(),
  /** The commit on the run's branch that took it in; null when it was not. */
  commit: z.string().nullable(),
  /** With whom it conflicts: the workstreams merged before that touched the same files. */
  conflictsWith: z.array(z.string()),
  /** Files in conflict. */
  files: z.array(z.string()),
  /** What went wrong otherwise; empty when nothing did. */
  detail: z.string(),
});
/** What became of a workstream's commits in the run's own branch. */
export type Merge = z.infer<typeof mergeSchema>;
