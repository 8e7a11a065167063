/** Looks into a folder of reports. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

const NAME = /^multi_agent_consolidated_(?<runId>.+)\.(?<form>md|html)$/;

/** The runs that have their report and their page in this folder, in which nothing else is. */
export function reportedRuns(folder: string): string[] {
  const forms = new Map<string, string[]>();
  for (const name of readdirSync(folder).toSorted()) {
    const { runId = name, form = 'neither' } = NAME.exec(name)?.groups ?? {};
    forms.set(runId, [...(forms.get(runId) ?? []), form]);
  }
  expect([...forms.values()]).toEqual(Array.from(forms, () => ['html', 'md']));
  return [...forms.keys()].toSorted();
}

/** The path of the only report of a folder, or of its only page. */
export function onlyReport(folder: string, form: 'md' | 'html' = 'md'): string {
  const [name, ...others] = readdirSync(folder).filter((each) => each.endsWith(`.${form}`));
  expect(others).toEqual([]);
  return join(folder, name ?? `no report.${form}`);
}

/** The text of the only Markdown report of a folder. */
export const reportText = (folder: string): string => readFileSync(onlyReport(folder), 'utf8');
