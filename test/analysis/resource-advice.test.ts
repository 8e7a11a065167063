import { describe, expect, test } from 'vitest';
import { type UsedResources, withAdvice } from '../../src/analysis/resource-advice.ts';

function use(fields: Partial<UsedResources> = {}): UsedResources {
  return {
    workstreamId: 'ws-a',
    definition: 'a.json#0',
    isCompleted: true,
    seconds: 60,
    asked: { cpus: 4, memoryMb: null },
    cpuSeconds: 66,
    used: { cpus: 1.1, memoryMb: null },
    ...fields,
  };
}

const adviceOf = (...all: UsedResources[]) => withAdvice(all).map(({ advice }) => advice);
const cpus = (asked: number, used: number): UsedResources =>
  use({ asked: { cpus: asked, memoryMb: null }, used: { cpus: used, memoryMb: null } });
const memory = (asked: number, used: number): UsedResources =>
  use({ asked: { cpus: null, memoryMb: asked }, used: { cpus: null, memoryMb: used } });

describe('processors', () => {
  test('that are reserved and not used are named, with what to reserve', () => {
    expect(adviceOf(use())).toEqual(['asked 4 cpus, used 1.1: set "cpus": 1']);
  });

  test('that are used and not reserved are too', () => {
    expect(adviceOf(cpus(1, 3.9))).toEqual(['asked 1 cpu, used 3.9: set "cpus": 4']);
  });

  test.each([
    [4, 3.4],
    [2, 1.3],
    [1, 0.2],
    [1, 1.2],
    [0.5, 1],
  ])('%d reserved and %d used are right', (asked, used) => {
    expect(adviceOf(cpus(asked, used))).toEqual([null]);
  });
});

describe('memory', () => {
  test.each([
    [10_000, 900, 'asked 9.8 GB, used 900 MB: set "memory_mb": 1152'],
    [1000, 2000, 'asked 1000 MB, used 2 GB: set "memory_mb": 2560'],
    [2000, 1500, null],
    [300, 100, null],
  ])('%d MB reserved, %d MB used: %s', (asked, used, advice) => {
    expect(adviceOf(memory(asked, used))).toEqual([advice]);
  });

  test('and processors are told together', () => {
    const both = use({ asked: { cpus: 8, memoryMb: 8192 }, used: { cpus: 2, memoryMb: 100 } });
    expect(adviceOf(both)).toEqual([
      'asked 8 cpus, used 2: set "cpus": 2; asked 8 GB, used 100 MB: set "memory_mb": 128',
    ]);
  });
});

describe('what tells too little', () => {
  test.each([
    ['a short time', { seconds: 4 }],
    ['a failure', { isCompleted: false }],
    ['what was not measured', { used: { cpus: null, memoryMb: null } }],
    ['what never ran', { seconds: null }],
  ])('is no evidence: %s', (_, fields) => {
    expect(adviceOf(use(fields))).toEqual([null]);
  });

  test('one member of a matrix that uses what is reserved speaks for all of them', () => {
    const busy = use({ workstreamId: 'ws-b', used: { cpus: 3.8, memoryMb: null } });
    expect(adviceOf(use(), busy)).toEqual([null, null]);
  });

  test('members of a matrix are told alike', () => {
    const short = use({ workstreamId: 'ws-b', seconds: 1 });
    expect(new Set(adviceOf(use(), short)).size).toBe(1);
  });
});
