import { describe, expect, test } from 'vitest';
import { assignmentSchema, inProject, relativeToProject } from '../../src/domain/assignment.ts';
import {
  acceptanceCommand,
  assignment,
  commandStep,
  customTool,
  moduleStep,
  runStep,
  toolStep,
  workstream,
} from '../kit/definitions.ts';

/** An assignment in which every field has a value. */
const full = assignment(
  '.',
  workstream(
    'ws-a',
    [
      moduleStep('/project/sieve.mjs', 'default', { limit: [1, null, 'x'] }),
      runStep('npm test', { shell: 'bash', timeoutSeconds: 1.5, env: { A: 'b' }, cwd: '/project/app' }),
      commandStep(['ls', '-l'], { continueOnError: true }),
      toolStep('aider', ['Add a --json flag']),
    ],
    {
      description: 'x',
      kind: 'sweep',
      dependsOn: [{ id: 'ws-b', when: 'finished' }],
      acceptanceTests: [
        acceptanceCommand('npm test', { report: 'junit.xml' }),
        { kind: 'manual', text: 'Look at it' },
      ],
      testGates: [{ type: 'GATE_LINT', required: true, blocking: false }],
      scopes: ['src'],
      conflictGroup: 'db',
      compensation: [runStep('git checkout .')],
      workspace: 'worktree',
      maxCostUsd: 0.5,
      gate: 2,
      track: 'slow',
      timeoutSeconds: 60,
      memoryLimitMb: 128,
      cpus: 0.5,
      memoryMb: 200,
      matrix: { seed: 1 },
      outputs: ['out/*.csv'],
      extra: { metadata: { owner: null } },
    },
  ),
  {
    dependencies: { 'ws-b': { primes: [2, 3] } },
    logFile: '.state/logs/ws-a.log',
    tools: { aider: customTool(['aider', '--yes'], { name: 'aider', adapter: 'aider', model: 'm' }) },
    gates: { GATE_LINT: 'npm run lint' },
    setup: 'npm ci',
    previousFailure: { reason: 'timed-out', seconds: 60, step: null, tail: '' },
    budgets: [{ of: 'run', limitUsd: 5, spentUsd: 0.25 }],
  },
);

describe('the schema of an assignment', () => {
  test('reads back what was written as JSON, with nothing lost or added', () => {
    expect(assignmentSchema.parse(JSON.parse(JSON.stringify(full)))).toStrictEqual(full);
    const small = assignment('/elsewhere', workstream('ws-b', []));
    expect(assignmentSchema.parse(JSON.parse(JSON.stringify(small)))).toStrictEqual(small);
  });

  test('refuses a field that is missing, unknown or of another type', () => {
    const { runId: _, ...withoutRun } = full;
    expect(assignmentSchema.safeParse(withoutRun).success).toBe(false);
    expect(assignmentSchema.safeParse({ ...full, more: 1 }).success).toBe(false);
    expect(assignmentSchema.safeParse({ ...full, attempt: '1' }).success).toBe(false);
    const steps = [{ ...runStep('x'), kind: 'other' }];
    expect(assignmentSchema.safeParse({ ...full, workstream: { ...full.workstream, steps } }).success).toBe(
      false,
    );
  });
});

describe('paths of an assignment', () => {
  test('are relative to the project where they are below it', () => {
    expect(relativeToProject('/project', '/project')).toBe('.');
    expect(relativeToProject('/project/.state/logs', '/project')).toBe('.state/logs');
    expect(relativeToProject('/project-2/logs', '/project')).toBe('/project-2/logs');
    expect(relativeToProject('/logs', '/')).toBe('logs');
  });

  test('are found again wherever the project is', () => {
    expect(inProject(full, '/home/other/project')).toStrictEqual({
      ...full,
      workspace: '/home/other/project',
      logFile: '/home/other/project/.state/logs/ws-a.log',
    });
    const outside = { ...full, workspace: '/tmp/tree', logFile: '/var/log/ws-a.log' };
    expect(inProject(outside, '/home/other/project')).toStrictEqual(outside);
  });
});
