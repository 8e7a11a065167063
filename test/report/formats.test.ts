import { expect, test } from 'vitest';
import { definitions } from '../../src/cli/definitions.ts';
import { reportFormat, reportFormats } from '../../src/report/formats.ts';
import { agentResult } from '../kit/consolidated-result.ts';
import { documentOf } from './example-result.ts';

const render = (name: string, folder = 'elsewhere'): string =>
  [...(reportFormat(name)?.render(documentOf([agentResult()]), folder) ?? [])].join('');

test('the formats, the default first', () => {
  expect(reportFormats.map(({ name }) => name)).toEqual(['md', 'html', 'json', 'junit']);
});

test.each([
  ['md', /^# Run `ma-run-20260714-093000`\n/],
  ['html', /^<!doctype html>\n/],
  ['json', /^\{\n {2}"version": 1,/],
  ['junit', /^<\?xml version="1\.0"/],
])('%s', (name, start) => {
  expect(render(name)).toMatch(start);
});

test('images are linked only from the folder that the report is in', () => {
  expect(render('md')).toContain('- image: reports/mandel brot.svg\n');
  expect(render('md', 'reports')).toContain('](mandel%20brot.svg)\n');
});

test('a format that is not there', () => {
  expect(reportFormat('pdf')).toBeNull();
});

test('`millrace report --format` takes every format', () => {
  expect(definitions.report.options.format.choices).toEqual(reportFormats.map(({ name }) => name));
});
