import { lstatSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DATABASE } from './defaults.ts';
import type { RunOptions } from './options.ts';

/** Absolute places of a run. */
export interface Paths {
  cwd: string;
  workstreams: string;
  state: string;
  database: string;
  /** Folder of the output of one run's workstreams. */
  logs(runId: string): string;
  /** Folder for compiled modules. */
  cache: string;
  reports: string;
}

/** Resolves the folders of a run against its working folder. */
export function resolvePaths(options: Pick<RunOptions, 'cwd' | 'workstreams' | 'state' | 'reports'>): Paths {
  const cwd = resolve(options.cwd);
  const state = resolve(cwd, options.state);
  const logs = withoutLink(join(state, 'logs'));
  return {
    cwd,
    workstreams: resolve(cwd, options.workstreams),
    state,
    database: join(state, DATABASE),
    logs: (runId) => join(logs, runId),
    cache: join(state, 'cache'),
    reports: resolve(cwd, options.reports),
  };
}

/** A user may keep logs on another disk. Once a run has begun, a link in their place is none of the user's. */
function withoutLink(folder: string): string {
  try {
    return lstatSync(folder).isSymbolicLink() ? realpathSync(folder) : folder;
  } catch {
    // It is not there, or leads nowhere, which is said when it is made.
    return folder;
  }
}
