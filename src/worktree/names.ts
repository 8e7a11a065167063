/** What Millrace calls its refs and branches. Ids of runs and workstreams are letters, digits and `-`. */

/** Branch with the work of one workstream, the last attempt's. */
export const workstreamBranch = (runId: string, workstreamId: string): string =>
  `millrace/${runId}/${workstreamId}`;

/** The run's own branch, into which accepted work is merged. No workstream's id has a `_`. */
export const mergedBranch = (runId: string): string => `millrace/${runId}/_merged`;

/** What keeps accepted work where there can't be that branch: a branch `millrace` leaves no room for it. */
export const mergedRef = (runId: string): string => `refs/millrace/${runId}/_merged`;

export const branchRef = (branch: string): string => `refs/heads/${branch}`;

/** Where refs of one workstream are, one an attempt. */
export const attemptRefs = (runId: string, workstreamId: string): string =>
  `refs/millrace/${runId}/${workstreamId}/`;

/** Whether a file of the folder that all work trees share is the lock of a ref of a run, by its path with `/`. */
export const isRefLockOf = (runId: string, path: string): boolean =>
  [`refs/heads/millrace/${runId}/`, `refs/millrace/${runId}/`].some((folder) => path.startsWith(folder)) &&
  path.endsWith('.lock');

/** Takes the place of a workstream's id for copies of work that is reviewed. No workstream's id has a `_`. */
export const REVIEWS = '_review';

/** What one attempt left; it outlives its worktree and its branch. */
export const attemptRef = (runId: string, workstreamId: string, attempt: number): string =>
  `${attemptRefs(runId, workstreamId)}${attempt}`;

/** What the run's own branch would be if there were to be one: accepted work, merged to find conflicts. */
export const predictedRef = (runId: string): string => `refs/millrace/${runId}/_predicted`;

/** Stands for a workstream in the names of worktrees in which what is merged is tested: nothing in them is ever kept. */
export const TESTS = '_tests';

/** The commit that a run started from, so that one that is resumed starts from the same. */
export const baseRef = (runId: string): string => `refs/millrace/${runId}/_base`;
