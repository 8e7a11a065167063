/** Files of control groups as Linux shows them, made up in a folder. */
import { expect, test } from 'vitest';
import { Cgroups } from '../../src/os/cgroup.ts';
import { writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const NOTHING = { cores: null, cpu: null, memory: null };

function groupsIn(files: Record<string, string>) {
  const root = temporaryFolder();
  writeFiles(root, files);
  return new Cgroups(root).read();
}

const V2 = {
  'proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n',
  'proc/self/cgroup': '0::/user.slice/job\n',
};

test('where there are none, or none with a limit, nothing is bound', () => {
  expect(groupsIn({})).toEqual(NOTHING);
  expect(groupsIn({ ...V2, 'sys/fs/cgroup/user.slice/job/cpu.max': 'max 100000\n' })).toEqual(NOTHING);
});

test('version 2: the tightest limit of the group and those above it', () => {
  expect(
    groupsIn({
      ...V2,
      'sys/fs/cgroup/user.slice/job/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/user.slice/cpu.stat': 'usage_usec 2500000\nnr_periods 40\nnr_throttled 4\n',
      'sys/fs/cgroup/user.slice/job/memory.max': '1000000\n',
      'sys/fs/cgroup/user.slice/job/memory.current': '900000\n',
      'sys/fs/cgroup/user.slice/job/memory.stat': 'anon 300000\ninactive_file 500000\n',
      'sys/fs/cgroup/user.slice/memory.max': 'max\n',
    }),
  ).toEqual({
    cores: 1.5,
    cpu: { seconds: 2.5, periods: 40, throttled: 4 },
    memory: { limit: 1_000_000, available: 600_000 },
  });
});

test('version 1, in a container whose group is the top of what it sees', () => {
  const line = (controllers: string) =>
    `33 31 0:30 /docker/1f /sys/fs/cgroup/${controllers} ro - cgroup cgroup rw,${controllers}\n`;
  expect(
    groupsIn({
      'proc/self/mountinfo': line('cpu') + line('cpuacct') + line('memory'),
      'proc/self/cgroup': '5:memory:/docker/1f\n4:cpuacct:/docker/1f\n3:cpu:/docker/1f\n0::/\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/cpu/cpu.stat': 'nr_periods 7\nnr_throttled 3\nthrottled_time 9\n',
      'sys/fs/cgroup/cpuacct/cpuacct.usage': '1250000000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '2000\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '1500\n',
      'sys/fs/cgroup/memory/memory.stat': 'cache 9\ntotal_inactive_file 250\n',
    }),
  ).toEqual({
    cores: 0.5,
    cpu: { seconds: 1.25, periods: 7, throttled: 3 },
    memory: { limit: 2000, available: 750 },
  });
});

test('version 1 says "none" with a number', () => {
  const files = {
    'proc/self/mountinfo': '33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
    'proc/self/cgroup': '5:memory:/\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1500\n',
  };
  const limit = 'sys/fs/cgroup/memory/memory.limit_in_bytes';
  expect(groupsIn({ ...files, [limit]: '9223372036854771712\n' })).toEqual(NOTHING);
  expect(groupsIn({ ...files, [limit]: '2000\n' }).memory).toEqual({ limit: 2000, available: 500 });
});
