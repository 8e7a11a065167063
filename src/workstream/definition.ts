/** One element of a workstream file: what it becomes, and what is wrong with it. */
import type { Failure } from '../domain/failure.ts';
import { describeFailure } from '../domain/failure-message.ts';
import { isObject, type Json } from '../domain/json.ts';
import type { Source, Workstream } from '../domain/workstream.ts';
import { isWorkstreamId, type WorkstreamFile } from '../domain/workstream-file.ts';
import { nearest } from '../text/nearest.ts';
import { errorAt, type Finding } from './finding.ts';
import { describeValue, fieldOf } from './json-value.ts';
import { matrixOf, membersOf } from './matrix.ts';
import { type Folders, normalize } from './normalize.ts';
import { check, type Looked } from './rules.ts';

/** Most workstreams that a folder becomes, matrices expanded. */
export const MAX_WORKSTREAMS = 1_000_000;

/** What reading one definition needs to know of the rest. */
export interface DefinitionContext {
  folders: Folders;
  /** Whether there is a file at this absolute path. */
  isFile: (path: string) => boolean;
  /** The tools that steps may name; null where any name is accepted. */
  tools: KnownTools | null;
  /** Number of workstreams so far; updated by each definition. */
  count: { workstreams: number };
}

/** The tools that steps may name. */
export interface KnownTools {
  isKnown: (name: string) => boolean;
  /** For suggestions. */
  names: readonly string[];
}

export interface Definition {
  /** Its own id before the matrix; null when it has none that is valid. */
  id: string | null;
  title: string | null;
  findings: Finding[];
  /** Empty when it can't be read as a definition. */
  workstreams: Workstream[];
  /** Why none of the workstreams can run although the definition is valid; null where they can. */
  failure: Failure | null;
}

export function readDefinition(
  raw: Json,
  source: Source,
  surroundings: DefinitionContext,
  looked: Looked = { thorough: true, found: [] },
): Definition {
  if (!isObject(raw)) {
    const findings = [
      errorAt([], `expected a workstream, an object with an id; found ${describeValue(raw)}`),
    ];
    return { id: null, title: null, findings, workstreams: [], failure: null };
  }
  const { definition, findings } = check(raw, looked);
  const id = fieldOf(raw, 'id');
  const title = fieldOf(raw, 'title');
  const result: Definition = {
    id: isWorkstreamId(id) ? id : null,
    title: typeof title === 'string' ? title : null,
    findings,
    workstreams: [],
    failure: null,
  };
  if (definition === null) return result;
  const tooMany = countMembers(definition, surroundings);
  if (tooMany !== null) return { ...result, findings: [...findings, tooMany] };
  result.workstreams = normalize(raw, definition, source, surroundings.folders);
  for (const { path, module } of missingModules(result.workstreams, surroundings)) {
    result.failure ??= { reason: 'module-not-found', module };
    findings.push(errorAt(path, `there is no module file ${module}`));
  }
  for (const { path, failure } of unknownTools(definition, result.workstreams, surroundings)) {
    result.failure ??= failure;
    findings.push(errorAt(path, describeFailure(failure)));
  }
  return result;
}

function countMembers(definition: WorkstreamFile, { count }: DefinitionContext): Finding | null {
  const matrix = definition.matrix === undefined ? null : matrixOf(definition.matrix);
  const members = matrix === null ? 1 : membersOf(matrix).length;
  if (count.workstreams + members > MAX_WORKSTREAMS) {
    const path = definition.matrix === undefined ? [] : ['matrix'];
    return errorAt(path, `the folder would have more than ${MAX_WORKSTREAMS} workstreams`);
  }
  count.workstreams += members;
  return null;
}

/** All members of a matrix name the same modules, so only those of the first are read. */
function missingModules(
  [first]: Workstream[],
  { isFile }: DefinitionContext,
): { path: Finding['path']; module: string }[] {
  return (first?.steps ?? []).flatMap((step, index) =>
    step.kind === 'module' && !isFile(step.module)
      ? [{ path: ['steps', index, 'module'], module: step.module }]
      : [],
  );
}

/** Those that no run could call, once each. */
function unknownTools(
  definition: WorkstreamFile,
  [first]: Workstream[],
  { tools }: DefinitionContext,
): { path: Finding['path']; failure: Failure }[] {
  if (tools === null) return [];
  const shorthand = definition.tool === undefined ? 'capability' : 'tool';
  const named = (first?.steps ?? []).flatMap((step, index) => {
    if (step.kind !== 'tool') return [];
    return [
      { path: definition.steps === undefined ? [shorthand] : ['steps', index, 'tool'], tool: step.tool },
    ];
  });
  if (definition.review !== undefined) named.push({ path: ['review', 'tool'], tool: definition.review.tool });
  return named.flatMap(({ path, tool }) => {
    if (tools.isKnown(tool)) return [];
    const suggestion = nearest(tool, tools.names);
    const hint = suggestion === null ? {} : { suggestion };
    return [{ path, failure: { reason: 'tool-not-found', tool, program: null, ...hint } }];
  });
}
