import { expect, test } from 'vitest';
import { jsonDocument } from '../../src/report/document.ts';
import { agentResult } from '../kit/consolidated-result.ts';
import { documentOf, exampleHead } from './example-result.ts';

test('the head is whole and indented, each workstream is a line, and a line feed ends the document', () => {
  const workstreams = [agentResult(), agentResult({ workstreamId: 'ws-codec', status: 'failed' })];
  const json = [...jsonDocument(documentOf(workstreams))].join('');
  expect(JSON.parse(json)).toEqual({ ...exampleHead(), workstreams });
  expect(json).toMatch(/^\{\n {2}"version": 1,\n {2}"run": \{\n/);
  expect(json.split('\n').filter((line) => line.startsWith('    {"runId":'))).toHaveLength(2);
  expect(json).toMatch(/\]\n\}\n$/);
});

test('a run without workstreams has an empty list of them', () => {
  const json = [...jsonDocument(documentOf([]))].join('');
  expect(JSON.parse(json)).toMatchObject({ workstreams: [] });
});

test('workstreams are asked for one by one, when they are written', () => {
  const asked: number[] = [];
  const document = {
    ...documentOf([]),
    *workstreamTexts() {
      for (const index of [1, 2, 3]) {
        asked.push(index);
        yield `{"index":${index}}`;
      }
    },
  };
  const pieces = jsonDocument(document);
  pieces.next();
  expect(asked).toEqual([]);
  pieces.next();
  expect(asked).toEqual([1]);
});

test('a terminal acts on nothing in it, and no text is lost', () => {
  const warning = '\u001b[31m \u009b2J \u007f \u202e \u2028 \ud800 é 🌊 \0 \n ##[group]';
  const json = [...jsonDocument(documentOf([agentResult({ warnings: [warning] })]))].join('');
  // oxlint-disable-next-line no-control-regex
  expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  expect(json).not.toContain('##[');
  expect(json).toContain('é 🌊');
  expect(JSON.parse(json).workstreams[0].warnings).toEqual([warning]);
});
