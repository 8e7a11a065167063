import { expect, test } from 'vitest';
import type { RunDocument } from '../../src/domain/run-record.ts';
import { reportFormat } from '../../src/report/formats.ts';
import { agentResult } from '../kit/consolidated-result.ts';
import { runDocument } from './example-result.ts';

const jsonReport = (document: RunDocument): string => {
  const unused = (): never => {
    throw new Error('the format needs the document only');
  };
  const source = { run: unused, consolidated: unused, workstreams: unused, reportsFolder: 'reports' };
  return reportFormat('json')?.render({ ...source, document: () => document }) ?? '';
};

test('the document is whole, indented and ended by a line feed', () => {
  const document = runDocument([agentResult(), agentResult({ workstreamId: 'ws-codec', status: 'failed' })]);
  const json = jsonReport(document);
  expect(JSON.parse(json)).toEqual(document);
  expect(json).toMatch(/^\{\n {2}"version": 1,\n {2}"run": \{\n/);
  expect(json).toMatch(/\}\n$/);
});

test('a terminal acts on nothing in it, and no text is lost', () => {
  const warning = '\u001b[31m \u009b2J \u007f \u202e \u2028 \ud800 é 🌊 \0 \n';
  const json = jsonReport(runDocument([agentResult({ warnings: [warning] })]));
  // oxlint-disable-next-line no-control-regex
  expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  expect(json).toContain('é 🌊');
  expect(JSON.parse(json).workstreams[0].warnings).toEqual([warning]);
});
