import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadFolder } from '../../src/workstream/load.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { workstreams, broken, problems, files } = loadFolder('workstreams', { cwd: root });

test('the shipped workstreams load without an error or a warning', () => {
  expect(problems).toEqual([]);
  expect(broken).toEqual([]);
  expect({ files, workstreams: workstreams.length }).toEqual({ files: 19, workstreams: 27 });
});

test('each has a title, a description and the schema for editors', () => {
  expect(existsSync(`${root}workstream.schema.json`)).toBe(true);
  for (const { id, title, description } of workstreams) {
    expect(title, id).not.toBe(id);
    expect(description, id).toMatch(/\S\.$|\S\?$/);
  }
});

test('what combines a matrix depends on all its members', () => {
  const needs = (id: string): string[] =>
    workstreams.find((each) => each.id === id)?.dependsOn.map((dependency) => dependency.id) ?? [];
  expect(needs('ws-percolation-threshold')).toEqual(
    [64, 128, 256].flatMap((side) => [1, 2].map((seed) => `ws-percolation-side-${side}-seed-${seed}`)),
  );
  expect(needs('ws-package-report')).toEqual([1, 2, 3, 4].map((n) => `ws-package-survey-shard-${n}`));
});

const modules = workstreams.flatMap(({ steps }) =>
  steps.flatMap((step) => (step.kind === 'module' ? [step.module] : [])),
);

test.each([...new Set(modules)].map((path) => path.slice(root.length)))(
  '%s exports a function',
  async (path) => {
    const module = (await import(`${root}${path}`)) as { default?: unknown };
    expect(module.default).toBeTypeOf('function');
  },
);
