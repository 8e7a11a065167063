/** Reads the most common form of a definition without the schema, which takes most of the time of loading. */
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { NOT_SAID } from '../domain/policy/sandbox.ts';
import type { Workstream } from '../domain/workstream.ts';
import { isLine, isWorkstreamId, MAX_ELEMENTS } from '../domain/workstream-file.ts';
import { type DefinitionContext, MAX_WORKSTREAMS } from './definition.ts';
import { canonical } from './json-value.ts';
import { normalizeStep } from './normalize.ts';
import { type PlainWork, PlainWorkstream } from './plain-workstream.ts';

/** Begins a reference to the matrix, which the rules have to check. */
const REFERENCE = '${{';

/** Most works that are kept to be shared. */
const MAX_SHARED = 10_000;

type Context = Pick<DefinitionContext, 'folders' | 'isFile' | 'count'>;

/** Reads the plain definitions of a folder. */
export class PlainReader {
  readonly #context: Context;
  /** By kind of the only step, and what it says. */
  readonly #ofOneStep = {
    module: new Map<string, PlainWork | null>(),
    run: new Map<string, PlainWork | null>(),
  };
  /** All others, by what was written. */
  readonly #others = new Map<string, PlainWork | null>();

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * The workstream of a definition that has nothing but an id, texts, dependencies by id, and steps that are one module
   * with its input, or one line for the shell, and with which nothing is wrong. Null for any other, which may be as good.
   */
  read(raw: Json, file: string, position: number): Workstream | null {
    if (!isObject(raw) || !hasOnly(FIELDS, raw)) return null;
    const { id, title, description, depends_on: needs, steps } = raw;
    if (!isWorkstreamId(id) || !isTitle(title) || !isText(description)) return null;
    if (!areNeeds(needs) || !Array.isArray(steps)) return null;
    const work = this.#workOf(steps);
    const { count } = this.#context;
    if (work === null || count.workstreams >= MAX_WORKSTREAMS) return null;
    count.workstreams += 1;
    return new PlainWorkstream({ id, title, description, needs, work, file, position });
  }

  /** Null where a step is not plain, or where its module is not there. */
  #workOf(steps: Json[]): PlainWork | null {
    const [only] = steps;
    if (steps.length === 1 && isObject(only)) {
      const { module, run } = only;
      if (typeof module === 'string' && hasOnly(MODULE_ALONE, only))
        return this.#shared(this.#ofOneStep.module, module, steps);
      if (typeof run === 'string' && hasOnly(RUN, only)) return this.#shared(this.#ofOneStep.run, run, steps);
    }
    if (steps.length === 0 || steps.length > MAX_ELEMENTS || !steps.every(isPlainStep)) return null;
    const written = canonical(steps);
    return this.#shared(this.#others, written, steps, written);
  }

  #shared(
    works: Map<string, PlainWork | null>,
    key: string,
    steps: Json[],
    written?: string,
  ): PlainWork | null {
    let work = works.get(key);
    if (work !== undefined) return work;
    work = this.#read(steps, written);
    if (works.size < MAX_SHARED) works.set(key, work);
    return work;
  }

  /** @param written the steps in canonical JSON. */
  #read(steps: Json[], written = canonical(steps)): PlainWork | null {
    if (!steps.every(isPlainStep)) return null;
    // What makes a schema of JSON, or a reference to the matrix, a matter of the ordinary way.
    if (written.includes(REFERENCE) || written.includes('"__proto__"')) return null;
    const { folders, isFile } = this.#context;
    const read = steps.map((step, index) =>
      normalizeStep(step, index, null, { folders, containing: NOT_SAID }),
    );
    if (read.some((step) => step.kind === 'module' && !isFile(step.module))) return null;
    return { steps: read, written };
  }
}

const FIELDS = new Set(['id', 'title', 'description', 'depends_on', 'steps']);
const MODULE_ALONE = new Set(['module']);
const MODULE = new Set(['module', 'export', 'input']);
const RUN = new Set(['run']);

/** Whether it has no fields but these. */
function hasOnly(fields: ReadonlySet<string>, object: JsonObject): boolean {
  for (const name of Object.keys(object)) if (!fields.has(name)) return false;
  return true;
}

const isText = (value: Json | undefined): value is string | undefined =>
  value === undefined || (typeof value === 'string' && !value.includes(REFERENCE));

/** The title of a definition with a blank one is its id. */
const isTitle = (value: Json | undefined): value is string | undefined =>
  isText(value) && value?.trim() !== '';

const areNeeds = (value: Json | undefined): value is string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.length <= MAX_ELEMENTS && value.every(isLine));

type PlainStep = { module: string; export?: string; input?: Json } | { run: string };

function isPlainStep(step: Json): step is PlainStep {
  if (!isObject(step)) return false;
  const { module, run, export: name } = step;
  if (module === undefined) return isLine(run) && hasOnly(RUN, step);
  return isLine(module) && (name === undefined || isLine(name)) && hasOnly(MODULE, step);
}
