import { expect, test } from 'vitest';
import { firstFrame } from '../../src/report/cells.ts';

test('the first frame of the author’s own', () => {
  const stack = [
    'Error: no (/not/a/frame.ts:1:1)',
    '    at node:internal/process/task_queues:95:5',
    '    at read (node:fs:441:20)',
    '    at parse (/w/node_modules/x/index.js:1:2)',
    '    at async encode (file:///w/tasks/my codec.ts:41:17)',
    '    at main (/w/main.ts:3:4)',
  ].join('\n');
  expect(firstFrame(stack)).toBe('/w/tasks/my codec.ts:41:17');
});

test.each([
  ['Error: x\n    at /w/a.ts:1:2', '/w/a.ts:1:2'],
  ['Error: x\n    at f (C:\\w\\a.ts:1:2)', 'C:\\w\\a.ts:1:2'],
  ['Error: x\n    at f (<anonymous>)', null],
  ['', null],
])('%j', (stack, frame) => {
  expect(firstFrame(stack)).toBe(frame);
});
