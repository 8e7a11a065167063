import type { Changes } from '../domain/changes.ts';
import type { Workspaces } from '../domain/workspaces.ts';
/** TEMPORARY */
export async function openWorkspaces(o: {
  cwd: string;
  stateFolder: string;
  runId: string;
  copy: string[];
  link: string[];
  setup: string | null;
}): Promise<Workspaces> {
  const none: Changes = {
    source: 'scope-look',
    files: [],
    commits: [],
    branch: null,
    base: null,
    head: null,
    contentHash: null,
    notes: [],
  };
  return {
    open: async () => ({ folder: o.cwd, kind: 'shared', setup: null }),
    harvest: async () => none,
    merge: async () => ({
      status: 'nothing-to-merge',
      branch: '',
      commit: null,
      conflictsWith: [],
      files: [],
      detail: '',
    }),
    close: async () => undefined,
  };
}
