/** One element of a workstream file: what it becomes, and what is wrong with it. */
import type { Json } from '../domain/json.ts';
import type { Source, Workstream } from '../domain/workstream.ts';
import { type WorkstreamFile, workstreamFileSchema } from '../domain/workstream-file.ts';
import { check } from './check.ts';
import { describeValue } from './describe-value.ts';
import { errorAt, type Finding } from './finding.ts';
import { fieldOf, isObject } from './json-value.ts';
import { memberCount } from './matrix.ts';
import { normalize } from './normalize.ts';
import type { Folders } from './normalize-step.ts';

/** Most workstreams that a folder becomes, matrices expanded. */
const MAX_WORKSTREAMS = 1_000_000;

/** What reading one definition needs to know of the rest. */
export interface Surroundings {
  folders: Folders;
  /** Whether there is a file at this absolute path. */
  isFile: (path: string) => boolean;
  /** Number of workstreams so far; counted on. */
  count: { workstreams: number };
}

export interface Definition {
  /** Its own id before the matrix; null when it has none that is valid. */
  id: string | null;
  title: string | null;
  findings: Finding[];
  /** Empty when there is an error other than a missing module. */
  workstreams: Workstream[];
  /** Absolute path of the first module that is not there. */
  missingModule: string | null;
}

/** `thorough` is false where so much is wrong already that warnings about unknown fields are of no use. */
export function readDefinition(
  raw: Json,
  source: Source,
  surroundings: Surroundings,
  thorough: boolean,
): Definition {
  if (!isObject(raw)) {
    const findings = [
      errorAt([], `expected a workstream, an object with an id; found ${describeValue(raw)}`),
    ];
    return { id: null, title: null, findings, workstreams: [], missingModule: null };
  }
  const { definition, findings } = check(raw, thorough);
  const id = workstreamFileSchema.shape.id.safeParse(fieldOf(raw, 'id'));
  const title = fieldOf(raw, 'title');
  const result: Definition = {
    id: id.success ? id.data : null,
    title: typeof title === 'string' ? title : null,
    findings,
    workstreams: [],
    missingModule: null,
  };
  if (definition === null) return result;
  const tooMany = countMembers(definition, surroundings);
  if (tooMany !== null) return { ...result, findings: [...findings, tooMany] };
  result.workstreams = normalize(raw, definition, source, surroundings.folders);
  for (const { path, module } of missingModules(result.workstreams, surroundings)) {
    result.missingModule ??= module;
    findings.push(errorAt(path, `there is no module file ${module}`));
  }
  return result;
}

function countMembers(definition: WorkstreamFile, { count }: Surroundings): Finding | null {
  const members = definition.matrix === undefined ? 1 : memberCount(definition.matrix);
  if (count.workstreams + members > MAX_WORKSTREAMS) {
    const path = definition.matrix === undefined ? [] : ['matrix'];
    return errorAt(path, `the folder would have more than ${MAX_WORKSTREAMS} workstreams`);
  }
  count.workstreams += members;
  return null;
}

/** All members of a matrix name the same modules, so the first speaks for all. */
function missingModules(
  [first]: Workstream[],
  { isFile }: Surroundings,
): { path: Finding['path']; module: string }[] {
  return (first?.steps ?? []).flatMap((step, index) =>
    step.kind === 'module' && !isFile(step.module)
      ? [{ path: ['steps', index, 'module'], module: step.module }]
      : [],
  );
}
