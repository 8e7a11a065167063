import type { Failure } from './failure.ts';

/** Whether a tool that says it is done was kept from something, so that only a look at its work tells whether it is. */
export const isDenial = (failure: Failure | null): boolean =>
  failure !== null && (failure.reason === 'permission-denied' || failure.reason === 'read-only');
