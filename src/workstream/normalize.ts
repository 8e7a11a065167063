/** From what a person wrote to what the rest of Millrace works with. */
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Json, JsonObject } from '../domain/json.ts';
import type { ReviewRequest } from '../domain/policy/review.ts';
import type { Containing } from '../domain/policy/sandbox.ts';
import { normalizeContaining } from '../domain/policy/sandbox-file.ts';
import {
  type AcceptanceTest,
  type CacheInputs,
  type CircuitBreaker,
  type CommandStep,
  type Dependency,
  matrixVariables,
  type RunStep,
  type Source,
  type Step,
  type TestGate,
  type ToolStep,
  type Workstream,
} from '../domain/workstream.ts';
import { PRIORITY_WORDS, type StepFile, type WorkstreamFile } from '../domain/workstream-file.ts';
import { canonical } from './json-value.ts';
import { matrixOf, membersOf, substitute, substituteInGlob, substituteInText } from './matrix.ts';
import { memberIds } from './matrix-ids.ts';

/** Fields that a `Workstream` has in a form of its own; all others are in its `extra` as they stood. */
const REPRESENTED = new Set([
  '$schema',
  'id',
  'title',
  'description',
  'kind',
  'priority',
  'depends_on',
  'steps',
  'tool',
  'tasks',
  'acceptance_tests',
  'files_scope',
  'files_create',
  'conflict_group',
  'parallel_ok',
  'timeout_seconds',
  'memory_limit_mb',
  'cpus',
  'memory_mb',
  'requires',
  'isolation',
  'cache',
  'sandbox',
  'network',
  'matrix',
  'ids',
  'outputs',
]);

/** What most workstreams have none of is one and the same empty list for all of them. Never changed. */
export const NONE: never[] = [];
export const NO_FIELDS: JsonObject = {};
export const ONE_ATTEMPT: CircuitBreaker = {
  maxAttempts: 1,
  maxErrorRepeats: null,
  oscillationThreshold: null,
  cooldownSeconds: 0,
};

/**
 * The workstreams of a definition: one, or one for each member of its matrix. `raw` is the definition as it stood in
 * its file. Dependencies are as written; the id of a matrix is resolved when all files are known.
 */
export function normalize(
  raw: JsonObject,
  definition: WorkstreamFile,
  source: Source,
  folders: Folders,
): Workstream[] {
  const hash = hashOf(definition.matrix === undefined ? raw : withoutMatrix(raw));
  const title = definition.title ?? '';
  const containing = normalizeContaining(definition);
  const plain: Workstream = {
    id: definition.id,
    base: definition.id,
    title: title.trim() === '' ? definition.id : title,
    description: definition.description ?? null,
    kind: definition.kind ?? null,
    priority: priorityNumber(definition.priority ?? 0) ?? 0,
    dependsOn: eachOf(definition.depends_on, normalizeDependency),
    steps: definition.matrix === undefined ? normalizeSteps(definition, null, folders) : NONE,
    acceptanceTests: eachOf(definition.acceptance_tests, normalizeAcceptanceTest),
    testGates: eachOf(definition.test_gates, normalizeGate),
    scopes: scopesOf(definition),
    conflictGroup: definition.conflict_group ?? null,
    parallelOk: definition.parallel_ok ?? true,
    filesScope: definition.files_scope ?? NONE,
    filesCreate: definition.files_create ?? NONE,
    circuitBreaker: normalizeCircuitBreaker(definition.circuit_breaker),
    compensation: eachOf(definition.compensation_actions, (action, index) =>
      normalizeAction(action, index, containing),
    ),
    workspace: definition.workspace ?? null,
    onRetry: definition.on_retry ?? null,
    review: normalizeReview(definition.review),
    maxCostUsd: definition.max_cost_usd ?? null,
    gate: definition.gate ?? null,
    track: definition.track ?? null,
    timeoutSeconds: definition.timeout_seconds ?? null,
    // A thread of the pool can't have a limit of its own.
    isolation: definition.memory_limit_mb === undefined ? (definition.isolation ?? 'thread') : 'process',
    memoryLimitMb: definition.memory_limit_mb ?? null,
    cpus: definition.cpus ?? null,
    memoryMb: definition.memory_mb ?? null,
    requires: [...new Set(definition.requires ?? [])].toSorted(),
    cache: normalizeCache(definition.cache, null),
    ...containing,
    matrix: null,
    outputs: definition.outputs ?? NONE,
    extra: extraOf(raw),
    source,
    hash,
  };
  const matrix = definition.matrix === undefined ? null : matrixOf(definition.matrix);
  if (matrix === null) return [plain];
  const members = membersOf(matrix);
  const ids =
    definition.ids === 'position'
      ? members.map((_, index) => `${definition.id}-${index + 1}`)
      : memberIds(
          definition.id,
          members.map(({ own }) => own),
        );
  return members.map(({ values: member }, index) => {
    const id = ids[index] ?? '';
    return {
      ...plain,
      id,
      title: substituteInText(title, member).trim() === '' ? id : substituteInText(title, member),
      description: plain.description === null ? null : substituteInText(plain.description, member),
      steps: normalizeSteps(definition, member, folders),
      cache: normalizeCache(definition.cache, member),
      matrix: member,
      outputs: eachOf(definition.outputs, (glob) => substituteInGlob(glob, member)),
      hash: hashOfMember(hash, member),
    };
  });
}

/** What a definition of an id and no steps means: every field has its default. */
export function emptyWorkstream(id: string, source: Source = { file: '', position: 0 }): Workstream {
  const definition: WorkstreamFile & JsonObject = { id, steps: [] };
  const [workstream] = normalize(definition, definition, source, { file: '', start: '' });
  if (workstream === undefined) throw new Error('a definition without a matrix is one workstream');
  return workstream;
}

function eachOf<T, R>(list: readonly T[] | undefined, each: (entry: T, index: number) => R): R[] {
  return list === undefined || list.length === 0 ? NONE : list.map(each);
}

function scopesOf({ files_scope: scope = NONE, files_create: create = NONE }: WorkstreamFile): string[] {
  return scope.length + create.length === 0 ? NONE : [...new Set([...scope, ...create])];
}

type DependencyFile = NonNullable<WorkstreamFile['depends_on']>[number];
type ActionFile = NonNullable<WorkstreamFile['compensation_actions']>[number];
type AcceptanceFile = NonNullable<WorkstreamFile['acceptance_tests']>[number];
type GateFile = NonNullable<WorkstreamFile['test_gates']>[number];

function normalizeDependency(dependency: DependencyFile): Dependency {
  return typeof dependency === 'string'
    ? { id: dependency, when: 'completed' }
    : { id: dependency.id, when: dependency.when ?? 'completed' };
}

function normalizeAcceptanceTest(test: AcceptanceFile): AcceptanceTest {
  if (typeof test === 'string') return { kind: 'text', text: test };
  if (test.run === undefined) return { kind: 'manual', text: test.manual };
  return {
    kind: 'run',
    text: test.run,
    shell: test.shell ?? null,
    name: test.name ?? null,
    timeoutSeconds: test.timeout_seconds ?? null,
    env: textValues(test.env ?? {}),
    cwd: test.cwd ?? null,
    report: test.report ?? null,
  };
}

function textValues(env: Record<string, string | number | boolean>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

function normalizeGate({ type, required, blocking }: GateFile): TestGate {
  return { type, required: required ?? true, blocking: blocking ?? true };
}

function normalizeCircuitBreaker(breaker: WorkstreamFile['circuit_breaker']): CircuitBreaker {
  if (breaker === undefined) return ONE_ATTEMPT;
  return {
    maxAttempts: breaker.max_attempts ?? ONE_ATTEMPT.maxAttempts,
    maxErrorRepeats: breaker.max_error_repeats ?? ONE_ATTEMPT.maxErrorRepeats,
    oscillationThreshold: breaker.oscillation_threshold ?? ONE_ATTEMPT.oscillationThreshold,
    cooldownSeconds: breaker.cooldown_seconds ?? ONE_ATTEMPT.cooldownSeconds,
  };
}

function normalizeReview(review: WorkstreamFile['review']): ReviewRequest | null {
  if (review === undefined) return null;
  const { tool, tasks = NONE, blocks = false, timeout_seconds: timeoutSeconds = null } = review;
  return { tool, tasks, blocks, timeoutSeconds };
}

function normalizeCache(cache: WorkstreamFile['cache'], member: JsonObject | null): CacheInputs | null {
  if (cache === undefined || cache === false) return null;
  const { inputs = NONE, env = NONE } = cache === true ? {} : cache;
  return { inputs: member === null ? inputs : inputs.map((each) => substituteInGlob(each, member)), env };
}

function normalizeAction(action: ActionFile, index: number, containing: Containing): RunStep | CommandStep {
  const base = {
    id: `compensation-${index + 1}`,
    timeoutSeconds: null,
    env: {},
    cwd: null,
    continueOnError: true,
    ...containing,
  };
  if (typeof action === 'string') return { kind: 'run', ...base, run: action, shell: null };
  return action.command === undefined
    ? { kind: 'run', ...base, run: action.run, shell: action.shell ?? null }
    : { kind: 'command', ...base, command: action.command };
}

function extraOf(raw: JsonObject): JsonObject {
  const others = Object.keys(raw).filter((name) => !REPRESENTED.has(name));
  if (others.length === 0) return NO_FIELDS;
  return Object.fromEntries(others.map((name) => [name, raw[name] ?? null]));
}

/** Absolute folders that paths in a definition are relative to. */
export interface Folders {
  /** For modules: where the file is. */
  file: string;
  /** For everything else: where Millrace was started. */
  start: string;
}

/** The steps of a definition, for one member of its matrix. */
function normalizeSteps(definition: WorkstreamFile, member: JsonObject | null, folders: Folders): Step[] {
  if (definition.steps === undefined) return [shorthand(definition, member)];
  const containing = normalizeContaining(definition);
  return definition.steps.map((step, index) => normalizeStep(step, index, member, { folders, containing }));
}

export function normalizeStep(
  step: StepFile,
  index: number,
  member: JsonObject | null,
  { folders, containing }: { folders: Folders; containing: Containing },
): Step {
  const base = {
    id: step.id ?? `step-${index + 1}`,
    timeoutSeconds: step.timeout_seconds ?? null,
    env: environmentOf(step, member),
    cwd: step.cwd === undefined ? null : resolve(folders.start, step.cwd),
    continueOnError: step.continue_on_error ?? false,
  };
  if (step.module !== undefined) {
    const input: Json = step.input ?? null;
    return {
      kind: 'module',
      ...base,
      module: resolve(folders.file, step.module),
      export: step.export ?? 'default',
      input: member === null ? input : substitute(input, member),
    };
  }
  const ofProcess = { ...base, ...normalizeContaining(step, containing) };
  if (step.run !== undefined) return { kind: 'run', ...ofProcess, run: step.run, shell: step.shell ?? null };
  if (step.command !== undefined) return { kind: 'command', ...ofProcess, command: step.command };
  return { kind: 'tool', ...ofProcess, tool: step.tool, tasks: step.tasks };
}

/** One and the same for all steps that add none. Never changed. */
const NO_VARIABLES: Record<string, string> = {};

function environmentOf({ env }: StepFile, member: JsonObject | null): Record<string, string> {
  if (env === undefined && member === null) return NO_VARIABLES;
  const own = Object.entries(env ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
  return { ...matrixVariables(member), ...Object.fromEntries(own) };
}

/**
 * The one step that `tool` and `tasks` are short for. A definition with only a capability becomes a step of a tool
 * with that name, so that a run says that there is no such tool.
 */
function shorthand(definition: WorkstreamFile, member: JsonObject | null): ToolStep {
  const prompt = definition.capability_payload?.prompt;
  return {
    kind: 'tool',
    id: 'step-1',
    timeoutSeconds: null,
    env: matrixVariables(member),
    cwd: null,
    continueOnError: false,
    ...normalizeContaining(definition),
    tool: definition.tool ?? definition.capability ?? '',
    tasks: definition.tasks ?? (prompt === undefined ? [] : [prompt]),
  };
}

/** SHA-256 in hexadecimal of a value's canonical JSON: equal values have equal hashes, however they were written. */
function hashOf(value: Json): string {
  return hash('sha256', canonical(value));
}

/** What all members of a matrix share: a value that is added makes none of the others another definition. */
function withoutMatrix({ matrix: _matrix, ids: _ids, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** The hash of a definition with the values of one member of its matrix. */
function hashOfMember(definitionHash: string, member: JsonObject): string {
  return hash('sha256', `${definitionHash}\n${canonical(member)}`);
}

const NUMBERS = new Map(Object.entries(PRIORITY_WORDS).map(([word, value]) => [word.toLowerCase(), value]));

/** A priority as a number; null for a word that is none. Case does not count, integers are taken as they are. */
export function priorityNumber(priority: number | string): number | null {
  return typeof priority === 'number' ? priority : (NUMBERS.get(priority.toLowerCase()) ?? null);
}
