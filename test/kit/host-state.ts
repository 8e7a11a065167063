import { type HostState, PROTOCOL } from '../../src/engine/queue/protocol.ts';

/** What a host says of itself: by default one slot, nothing that it provides, and a lease of a minute. */
export const hostState = (fields: Partial<HostState> = {}): HostState => ({
  host: 'host-a',
  version: '0.0.0',
  protocol: PROTOCOL,
  provides: [],
  slots: 1,
  inHand: [],
  leaseMs: 60_000,
  draining: false,
  startedAt: 0,
  clockMs: 0,
  pid: 1,
  node: process.version,
  platform: process.platform,
  ...fields,
});
