import { describe, expect, test } from 'vitest';
import { Execution } from '../../workers/execution.ts';
import { assignment, runStep, workstream } from '../kit/definitions.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

function make(): Execution {
  const limits = { timeoutSeconds: 60, graceSeconds: 1, maxOutputMb: 1 };
  const given = assignment(temporaryFolder(), workstream('ws-a', [runStep('x')]), { limits });
  return new Execution(
    { assignment: given, mark: 'x', typeScript: [] },
    {
      place: 'thread',
      launcher: null,
      cacheFolder: '',
      logLevel: 'info',
      redactor: NO_SECRETS,
      send: () => undefined,
    },
  );
}

describe('the failure of an execution that printed too much', () => {
  test('names the running command where that printed too much', () => {
    const execution = make();
    execution.output.write(Buffer.alloc(500));
    execution.running = { command: 'yes', start: execution.output.size };
    execution.output.write(Buffer.from(`${'y\n'.repeat(500_000)}the end`));
    expect(execution.outputLimitFailure()).toMatchObject({
      reason: 'output-limit',
      limitMb: 1,
      command: 'yes',
      tail: expect.stringMatching(/the end$/),
      log: execution.assignment.logFile,
    });
    execution.output.close();
  });

  test('names none where an earlier command did, and none between commands', () => {
    const execution = make();
    execution.output.write(Buffer.alloc(2e6));
    expect(execution.outputLimitFailure()).toMatchObject({ command: null });
    execution.running = { command: 'sleep 1000', start: execution.output.size };
    expect(execution.outputLimitFailure()).toMatchObject({ command: null });
    execution.output.close();
  });
});
