import { describe, expect, test } from 'vitest';
import { buildPrompt, type PromptInput } from '../../../workers/tools/prompt.ts';
import { workstream } from '../../kit/definitions.ts';

const input = (fields: Partial<PromptInput> = {}): PromptInput => ({
  workstream: workstream('ws-a', []),
  tasks: ['Add a --json flag'],
  checks: [],
  previousFailure: null,
  session: null,
  ...fields,
});

describe('the prompt', () => {
  test('says what to do, where, how it is accepted, and what not to do', () => {
    const definition = workstream('ws-a', [], {
      title: 'JSON output',
      description: 'People want to pipe it.',
      filesScope: ['src/**'],
      filesCreate: ['docs/json.md'],
    });
    const checks = [
      { text: 'npm test', manual: false },
      { text: 'It reads well', manual: true },
    ];
    expect(buildPrompt(input({ workstream: definition, tasks: ['Add a flag', 'Write it up'], checks }))).toBe(
      `Your work, ws-a: JSON output

People want to pipe it.

TASKS

1. Add a flag
2. Write it up

FILES (paths from the folder that you were started in)

You may change what these paths and globs name:
- src/**

You are to create:
- docs/json.md

ACCEPTED WHEN

- this command ends with exit code 0, and nothing that it prints or reports says that a test failed: npm test
- checked by a person: It reads well

RULES

- Change no file beside those named under FILES.
- Do not commit and do not push. What you changed is found when you have ended.
- Nobody can answer questions. Decide what is open, and say at the end what you decided.
- Leave no program running.
`,
    );
  });

  test('has the findings of the reviewer that rejected the attempt before', () => {
    const findings = ['error a.ts:1: It leaks.', 'note: No test.', 'note: b', 'note: c'];
    const text = buildPrompt(
      input({ previousFailure: { reason: 'review-failed', tool: 'codex', findings, log: null } }),
    );
    expect(text).toContain('codex reviewed it and rejected it');
    for (const finding of findings) expect(text).toContain(`\n- ${finding}`);
  });

  test('leaves out what there is nothing to say of', () => {
    const text = buildPrompt(input());
    expect(text).not.toMatch(/FILES|ACCEPTED|LAST TIME/);
    expect(text).toContain('Change only files that the work needs');
  });

  test.each(['/drop all', '!rm -rf .', '\n/exit'])('never begins with %j', (text) => {
    const definition = workstream('ws-a', [], { title: text, description: text });
    const prompt = buildPrompt(input({ workstream: definition, tasks: [text] }));
    expect(prompt).toMatch(/^Your work/);
    expect(prompt).toContain(`1. ${text}`);
  });

  test('gives long texts in full', () => {
    const text = `${'x'.repeat(1e6)}end`;
    expect(buildPrompt(input({ tasks: [text] }))).toContain(text);
  });

  test('says what failed last time, with the tests and the end of the output', () => {
    const previousFailure = {
      reason: 'acceptance-failed' as const,
      tests: [
        { name: 'npm test', detail: 'exit code 1' },
        { name: 'npm run lint', detail: 'exit code 2' },
      ],
      tail: `cut${'y'.repeat(4_000)}`,
      log: null,
    };
    const text = buildPrompt(input({ previousFailure }));
    expect(text).toContain('LAST TIME\n\nThe attempt before this one failed. Not accepted: npm test');
    expect(text).toContain('- npm test: exit code 1\n- npm run lint: exit code 2');
    expect(text).toContain(`The end of its output, at most 4000 characters:\n…${'y'.repeat(4_000)}\n`);
  });

  test('says what was thrown last time', () => {
    const thrown = { name: 'Error', message: 'no disk', stack: 'Error: no disk\n    at write' };
    const text = buildPrompt(input({ previousFailure: { reason: 'thrown', how: 'thrown', thrown } }));
    expect(text).toContain('The attempt before this one failed. Error: no disk');
    expect(text).toContain('    at write');
  });
});
