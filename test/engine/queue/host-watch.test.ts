import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { HostWatch } from '../../../src/engine/queue/coordinator/host-watch.ts';
import type { HostsSeen } from '../../../src/engine/queue/hosts.ts';
import { DEFAULT_LEASE_MS, type HostState } from '../../../src/engine/queue/protocol.ts';
import { hostState } from '../../kit/host-state.ts';

const HOST = hostState({ leaseMs: DEFAULT_LEASE_MS });

const seen = (...hosts: HostState[]): HostsSeen => ({ hosts, strangers: [], others: [] });

const watchOf = (read: () => Promise<HostsSeen>): HostWatch => {
  const watch = new HostWatch({ read, needed: [[]], waitSeconds: 60, notify: () => undefined });
  onTestFinished(() => watch.close());
  return watch;
};

// The time between two looks never passes.
beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

describe('a run that waits for its first host', () => {
  test('begins as soon as one says that it is there', async () => {
    let hosts = seen();
    const watch = watchOf(async () => hosts);
    await watch.start();
    expect(watch.slots).toBe(0);
    const looked = new Promise<void>((resolve) => watch.onLook(resolve));
    hosts = seen(HOST);
    watch.hint();
    await looked;
    expect(watch.slots).toBe(1);
  });

  test('looks again when one comes while it looks', async () => {
    let look: (hosts: HostsSeen) => void = () => undefined;
    const watch = watchOf(
      () =>
        new Promise((resolve) => {
          look = resolve;
        }),
    );
    const started = watch.start();
    watch.hint();
    look(seen());
    await started;
    const looked = new Promise<void>((resolve) => watch.onLook(resolve));
    look(seen(HOST));
    await looked;
    expect(watch.slots).toBe(1);
  });
});
