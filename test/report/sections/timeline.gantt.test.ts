import { expect, test } from 'vitest';
import { gantt } from '../../../src/report/sections/timeline.ts';
import { shortResult } from '../../kit/consolidated-result.ts';

test('a section an agent in the order of their numbers, a bar a workstream, times in UTC', () => {
  const items = [
    shortResult({ workstreamId: 'ws-a', agentId: 'agent-10', startTime: '2026-07-14T11:30:00.120+02:00' }),
    shortResult({ workstreamId: 'ws-b', agentId: 'agent-2', status: 'failed', durationSeconds: 0 }),
    shortResult({ workstreamId: 'ws-c', agentId: 'agent-10', durationSeconds: 0.0414 }),
    shortResult({ workstreamId: 'ws-d', agentId: 'coordinator', status: 'skipped', startTime: null }),
  ];
  expect(gantt('ma-run-1', items)).toBe(`gantt
    title ma-run-1
    dateFormat YYYY-MM-DD HH:mm:ss.SSS
    axisFormat %H:%M:%S
    section agent-2
    ✗ ws-b :crit, 2026-07-14 09:30:00.120, 1ms
    section agent-10
    ✓ ws-a :done, 2026-07-14 09:30:00.120, 4200ms
    ✓ ws-c :done, 2026-07-14 09:30:00.120, 41ms`);
});

test.each([
  ['a:b;c#d', 'a-b-c-d'],
  ['a\nb', 'a b'],
  ['%%{init: {}}%%', '-init- -'],
  ['```', '-'],
  ['', '-'],
  ['<script>', '-script-'],
  ['ws-größe 日本', 'ws-größe 日本'],
])('the name %j', (name, shown) => {
  const chart = gantt(name, [shortResult({ workstreamId: name, agentId: name })])?.split('\n');
  expect(chart?.[1]).toBe(`    title ${shown}`);
  expect(chart?.[4]).toBe(`    section ${shown}`);
  expect(chart?.[5]).toBe(`    ✓ ${shown} :done, 2026-07-14 09:30:00.120, 4200ms`);
});

test('nothing to draw', () => {
  expect(gantt('x', [shortResult({ startTime: null }), shortResult({ durationSeconds: null })])).toBeNull();
});
