import type { StoredRun } from '../../src/store/read/earlier-run.ts';

/** An interrupted run of which nothing is stored but what a test says. */
export function storedRun(fields: Partial<StoredRun> = {}): StoredRun {
  return {
    runId: 'ma-run-20260102-030405',
    state: 'interrupted',
    process: null,
    options: null,
    resumedAt: null,
    retryOf: null,
    sessions: 1,
    results: [],
    unfinished: [],
    running: [],
    deaths: new Map(),
    workedSeconds: 0,
    spentUsd: 0,
    ...fields,
  };
}
