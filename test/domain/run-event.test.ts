import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/app/multi-agent-workstream-coordinator.ts';
import { mergeOf } from '../../src/domain/changes.ts';
import { type RunEvent, runEventSchema } from '../../src/domain/run-event.ts';
import { applyEvent, createBoard } from '../../src/progress/board.ts';
import { RunLog } from '../../src/progress/logs.ts';
import { writeFiles } from '../kit/command.ts';
import {
  begun,
  candidateEnded,
  candidateReviewed,
  failed,
  progress,
  runEnded,
  runStarted,
  sessionBegan,
  started,
} from '../kit/events.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const WAIT = { workstreamId: 'ws-1', runId: 'ma-run-20260101-000001', explanation: 'ws-1 waits for ws-9' };
const AT = '2026-01-02T03:04:05.000Z';

/** One of each type; the compiler asks for each. */
const EXAMPLES: Record<RunEvent['type'], RunEvent> = {
  'run-started': runStarted(2, 1, {
    resumed: {
      counts: { completed: 1, failed: 0, skipped: 0 },
      discarded: ['ws-1'],
      afterDeath: true,
      results: 1,
      running: 1,
    },
  }),
  'checkout-read': {
    type: 'checkout-read',
    checkout: { commit: 'c0ffee0000000000000000000000000000000000', branch: 'main', isDirty: null },
  },
  'workstream-ready': { type: 'workstream-ready', workstreamId: 'ws-1' },
  'workstream-started': started('ws-1', 1, 0, { expectedSeconds: 1.5 }),
  'workstream-begun': begun('ws-1', 1, 0),
  'workstream-retrying': {
    type: 'workstream-retrying',
    workstreamId: 'ws-1',
    agentId: 'agent-1',
    attempt: 1,
    reason: 'exit-non-zero',
    explanation: '`npm test` ended with exit code 1.',
    afterSeconds: 0,
  },
  'workstream-progress': progress('ws-1', 1, 0.5, 'half way'),
  'workstream-log': {
    type: 'workstream-log',
    workstreamId: 'ws-1',
    agentId: 'agent-1',
    line: '{"level":30,"event":"workstream-log","msg":"hello"}',
  },
  'session-began': sessionBegan('ws-1'),
  'candidate-ended': candidateEnded('ws-1'),
  'candidate-reviewed': candidateReviewed('ws-1'),
  'workstream-finished': failed('ws-1', 1, '`npm test` ended with exit code 1.'),
  'workstream-reopened': {
    type: 'workstream-reopened',
    workstreamId: 'ws-1',
    at: '2026-01-02T03:04:05.000Z',
    by: 'ann@host',
    status: 'failed',
    follows: null,
  },
  'workstream-merged': {
    type: 'workstream-merged',
    workstreamId: 'ws-1',
    merge: mergeOf({ status: 'merged' }),
  },
  'agent-replaced': { type: 'agent-replaced', agentId: 'agent-1', why: 'its thread died' },
  'tool-parked': {
    type: 'tool-parked',
    at: AT,
    tool: 'claude',
    class: 'window',
    why: "You've hit your limit · resets 2pm (UTC)",
    until: AT,
    source: 'words',
    resumptions: 1,
    parkedBy: null,
  },
  'tool-resumed': { type: 'tool-resumed', at: AT, tool: 'claude' },
  'agents-scaled': {
    type: 'agents-scaled',
    change: { at: AT, from: null, to: 2, reason: 'start', explanation: 'half of the cores' },
    agents: ['agent-1', 'agent-2'],
  },
  'waiting-for-runs': { type: 'waiting-for-runs', waits: [WAIT], added: WAIT },
  interrupting: { type: 'interrupting', signal: 'SIGINT', running: 1 },
  notice: { type: 'notice', level: 'warn', text: 'odd', workstreamId: null },
  'run-ended': runEnded(1, 10),
};

test.each(Object.entries(EXAMPLES))('%s is valid, also after it was JSON', (type, event) => {
  expect(event.type).toBe(type);
  expect(runEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
});

test.each(Object.entries(EXAMPLES))('%s has one log line, and the live view takes it', (type, event) => {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level: 'debug', descriptor: null, file });
  log.take([event]);
  void log.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).event)).toEqual([type]);
  expect(applyEvent(createBoard(), event)).toEqual(expect.any(Boolean));
});

test('events of another version are refused', () => {
  expect(runEventSchema.safeParse({ ...EXAMPLES['run-started'], version: 2 }).success).toBe(false);
});

test('a run publishes only valid events', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'task.mjs':
      'export default (input, context) => { context.progress(0.5, "half"); context.log.info("hello"); return { output: input } }',
    'workstreams/all.json': [
      { id: 'ws-module', steps: [{ module: '../task.mjs', input: { n: [1, null] } }] },
      { id: 'ws-fails', steps: [{ run: 'exit 3' }], circuit_breaker: { max_attempts: 2 } },
      { id: 'ws-skipped', steps: [{ run: 'true' }], depends_on: ['ws-fails'] },
      { id: 'ws-tested', steps: [{ run: 'true' }], acceptance_tests: ['test -d .', 'Look at it.'] },
    ],
    'workstreams/broken.json': '{',
  });
  const coordinator = new MultiAgentWorkstreamCoordinator({ cwd: folder, agentsCount: 2 });
  const events: RunEvent[] = [];
  coordinator.subscribe((event) => void events.push(event));
  expect(await coordinator.run()).toBe(1);
  for (const event of events) {
    const sent: unknown = JSON.parse(JSON.stringify(event));
    expect(runEventSchema.parse(sent)).toEqual(sent);
  }
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      'run-started',
      'workstream-started',
      'workstream-retrying',
      'workstream-progress',
      'workstream-log',
      'workstream-ready',
      'workstream-finished',
      'run-ended',
    ]),
  );
});
