/** The files of a folder of workstreams, each with its definitions and what is wrong with it. */
import { join, relative, sep } from 'node:path';
import { formatProblem, type Problem } from '../../domain/plan.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import { listFiles } from '../../workstream/load.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { prepare } from '../prepare.ts';
import { redactPrepared } from '../redact-prepared.ts';

/** A definition and the ids of its members, which is its own without a matrix. */
export interface DefinitionGroup {
  /** The first of its members. */
  first: Workstream;
  /** The id of the definition. */
  base: string;
  members: string[];
}

/** A file of the folder with the workstreams in it. */
export interface FolderFile {
  /** As messages show it. */
  file: string;
  /** Absolute. */
  path: string;
  /** In the order of the file. */
  definitions: DefinitionGroup[];
  /** Of its definitions, broken ones too. */
  ids: string[];
  problems: string[];
}

/** Every file of the folder, with what is wrong with it. @throws Refusal as `prepare` does. */
export function readFolder(run: RunOptions, paths: Paths): { files: FolderFile[]; redactor: Redactor } {
  const prepared = prepare(run, paths);
  const { redactor, prepared: redacted } = redactPrepared(prepared, run, paths);
  const { workstreams, broken, problems } = redacted.plan;
  const shown = (path: string): string => {
    const below = relative(paths.cwd, path);
    return below.startsWith(`..${sep}`) || below === '..' ? path : below;
  };
  const files = new Map<string, FolderFile>();
  for (const name of listFiles(paths.workstreams)) {
    const path = join(paths.workstreams, name);
    const file = shown(path);
    files.set(file, { file, path, definitions: [], ids: [], problems: [] });
  }
  const byPlace = [...workstreams, ...broken].toSorted((a, b) => a.source.position - b.source.position);
  for (const each of byPlace) {
    const file = files.get(each.source.file);
    if (file === undefined) continue;
    const id = 'base' in each ? each.base : each.id;
    if (!file.ids.includes(id)) file.ids.push(id);
    if ('base' in each) addMember(file.definitions, each);
  }
  for (const problem of problems) {
    if (problem.severity === 'error') files.get(problem.file)?.problems.push(errorText(problem));
  }
  return { files: [...files.values()], redactor };
}

/** The problem without its file, which is named beside it. */
const errorText = (problem: Problem): string =>
  formatProblem(problem)
    .slice(problem.file.length)
    .replace(/^:?\s*(?=\d|error)/, '')
    .replace(/^(\d+:\d+): error: |^error: /, '$1 ');

function addMember(definitions: DefinitionGroup[], workstream: Workstream): void {
  const { base, id } = workstream;
  const last = definitions.at(-1);
  if (last?.base === base) last.members.push(id);
  else definitions.push({ first: workstream, base, members: [id] });
}

/** The number that `ccpm_issue` names: 12, "12" or "#12"; null for other text. */
export function issueNumber({ extra }: Pick<Workstream, 'extra'>): number | null {
  const named = extra['ccpm_issue'];
  const text = typeof named === 'string' || typeof named === 'number' ? String(named) : '';
  const [, digits] = /^#?(\d{1,9})$/.exec(text) ?? [];
  return digits === undefined || Number(digits) === 0 ? null : Number(digits);
}
