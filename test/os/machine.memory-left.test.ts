import { expect, test } from 'vitest';
import { memoryLeft } from '../../src/os/machine.ts';

const small = { limit: 4e9, available: 3e9 };
const large = { limit: 64e9, available: 32e9 };

test.each([
  ['the container has less', small, large, small],
  ['the machine has less', small, { ...large, available: 2e9 }, { ...large, available: 2e9 }],
  ['there is no container', null, large, large],
  ['the system does not tell', null, null, null],
])('the memory that is left where %s', (_, container, machine, expected) => {
  expect(memoryLeft({ memory: container }, { memory: machine })).toEqual(expected);
});
