import { describe, expect, test } from 'vitest';
import type { ToolSettings } from '../../../src/domain/tool.ts';
import { custom } from '../../../workers/tools/custom.ts';
import type { ToolRequest } from '../../../workers/tools/tool.ts';
import { customTool } from '../../kit/definitions.ts';

const request = (command: [string, ...string[]], fields: Partial<ToolSettings> = {}): ToolRequest => ({
  settings: customTool(command, fields),
  prompt: 'do {folder} $& it',
  promptFile: '/scratch/prompt.txt',
  folder: '/work',
  scratch: '/scratch',
  sessionId: 'a-session',
  resume: null,
  budgetUsd: null,
  scope: [],
});

describe('the command', () => {
  test('has its placeholders replaced within arguments, and only once', () => {
    const command: [string, ...string[]] = ['agent', '{prompt}', '--in={folder}:{session_id}', '{other}'];
    expect(custom.command(request(command, { prompt: 'argument', args: ['{model}'], model: 'm' }))).toEqual({
      file: 'agent',
      args: ['do {folder} $& it', '--in=/work:a-session', '{other}', 'm'],
      env: {},
      stdin: '',
    });
  });

  test('gives the prompt in the way that is set', () => {
    expect(custom.command(request(['agent']))).toMatchObject({ args: [], stdin: 'do {folder} $& it' });
    expect(custom.command(request(['agent', '-m'], { prompt: 'argument' })).args).toEqual([
      '-m',
      'do {folder} $& it',
    ]);
    expect(custom.command(request(['agent'], { prompt: 'file' })).args).toEqual(['/scratch/prompt.txt']);
    const named = request(['agent', '--file={prompt_file}', '-q'], { prompt: 'file' });
    expect(custom.command(named)).toMatchObject({ args: ['--file=/scratch/prompt.txt', '-q'], stdin: '' });
  });

  test('with no model set has an empty one', () => {
    expect(custom.command(request(['agent', '--model={model}'])).args).toEqual(['--model=']);
  });
});

describe('the reader', () => {
  test('reports the end of the output, and a session only where it gave one', () => {
    const reader = custom.reader(request(['agent', '{session_id}'], { model: 'm' }));
    for (let line = 0; line < 10_000; line += 1) reader.line(`line ${line}`);
    const { text, ...rest } = reader.report();
    expect(text).toHaveLength(20_000);
    expect(text).toMatch(/^….*line 9998\nline 9999$/s);
    expect(rest).toMatchObject({ model: 'm', sessionId: 'a-session', costUsd: null, turns: null });
    expect(custom.reader(request(['agent'])).report()).toMatchObject({ sessionId: null, text: '' });
  });

  test('does not take a line for more than text', () => {
    const reader = custom.reader(request(['agent']));
    reader.line('{"type":"result","result":"ok","total_cost_usd":1,"is_error":true}');
    expect(reader.report()).toMatchObject({ costUsd: null });
    expect(reader.judge({ exitCode: 0, signal: null, tail: '', log: '/log' })).toBeNull();
  });

  test('tells the last line that is not blank, once', () => {
    const reader = custom.reader(request(['agent']));
    reader.line('reading');
    reader.line(' ');
    expect([reader.activity(), reader.activity()]).toEqual(['reading', null]);
  });

  test('its rules look at every line, not at the end alone', () => {
    const ending = (success: object, lines: string[]) => {
      const rules = { exitCodes: [0], outputMatches: null, outputExcludes: null, ...success };
      const reader = custom.reader(request(['agent'], { success: rules }));
      for (const line of lines) reader.line(line);
      return reader.judge({ exitCode: 0, signal: null, tail: 'the end\nof it', log: '/log' });
    };
    const long = ['I gave up', ...Array.from({ length: 9_000 }, (_, number) => `line ${number}`)];
    expect(ending({ outputExcludes: 'gave up$' }, long)).toMatchObject({
      detail: 'its output matches gave up$',
    });
    expect(ending({ outputMatches: '^I gave' }, long)).toBeNull();
    expect(ending({ outputMatches: 'end\nof' }, [])).toBeNull();
    expect(ending({ outputMatches: 'done' }, long)).toMatchObject({ reason: 'tool-error' });
    expect(ending({ outputExcludes: 'nothing' }, long)).toBeNull();
  });
});
