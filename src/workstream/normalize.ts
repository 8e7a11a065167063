/** From what a person wrote to what the rest of Millrace works with. */
import type { JsonObject } from '../domain/json.ts';
import type {
  AcceptanceTest,
  CircuitBreaker,
  CommandStep,
  Dependency,
  RunStep,
  Source,
  TestGate,
  Workstream,
} from '../domain/workstream.ts';
import type { WorkstreamFile } from '../domain/workstream-file.ts';
import { hashOf, hashOfMember } from './hash.ts';
import { combinations, substituteInText } from './matrix.ts';
import { type Folders, normalizeSteps } from './normalize-step.ts';
import { priorityNumber } from './priority.ts';

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
  'isolation',
  'matrix',
]);

/**
 * The workstreams of a definition: one, or one for each member of its matrix. `raw` is the definition as it stood in
 * its file. Dependencies are as written; what the id of a matrix stands for is known when all files are.
 */
export function normalize(
  raw: JsonObject,
  definition: WorkstreamFile,
  source: Source,
  folders: Folders,
): Workstream[] {
  const hash = hashOf(raw);
  const title = definition.title ?? '';
  const plain: Workstream = {
    id: definition.id,
    base: definition.id,
    title: title.trim() === '' ? definition.id : title,
    description: definition.description ?? null,
    kind: definition.kind ?? null,
    priority: priorityNumber(definition.priority ?? 0) ?? 0,
    dependsOn: (definition.depends_on ?? []).map(normalizeDependency),
    steps: definition.matrix === undefined ? normalizeSteps(definition, null, folders) : [],
    acceptanceTests: (definition.acceptance_tests ?? []).map(normalizeAcceptanceTest),
    testGates: (definition.test_gates ?? []).map(normalizeGate),
    scopes: [...new Set([...(definition.files_scope ?? []), ...(definition.files_create ?? [])])],
    conflictGroup: definition.conflict_group ?? null,
    parallelOk: definition.parallel_ok ?? true,
    filesScope: definition.files_scope ?? [],
    filesCreate: definition.files_create ?? [],
    circuitBreaker: normalizeCircuitBreaker(definition.circuit_breaker),
    compensation: (definition.compensation_actions ?? []).map(normalizeAction),
    workspace: definition.workspace ?? null,
    maxCostUsd: definition.max_cost_usd ?? null,
    gate: definition.gate ?? null,
    track: definition.track ?? null,
    timeoutSeconds: definition.timeout_seconds ?? null,
    // A thread of the pool can't have a limit of its own.
    isolation: definition.memory_limit_mb === undefined ? (definition.isolation ?? 'thread') : 'process',
    memoryLimitMb: definition.memory_limit_mb ?? null,
    matrix: null,
    extra: extraOf(raw),
    source,
    hash,
  };
  if (definition.matrix === undefined) return [plain];
  return combinations(definition.matrix).map((member, index) => {
    const id = `${definition.id}-${index + 1}`;
    return {
      ...plain,
      id,
      title: substituteInText(title, member).trim() === '' ? id : substituteInText(title, member),
      description: plain.description === null ? null : substituteInText(plain.description, member),
      steps: normalizeSteps(definition, member, folders),
      matrix: member,
      hash: hashOfMember(hash, member),
    };
  });
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
  return {
    maxAttempts: breaker?.max_attempts ?? 1,
    maxErrorRepeats: breaker?.max_error_repeats ?? null,
    oscillationThreshold: breaker?.oscillation_threshold ?? null,
    cooldownSeconds: breaker?.cooldown_seconds ?? 0,
  };
}

function normalizeAction(action: ActionFile, index: number): RunStep | CommandStep {
  const base = {
    id: `compensation-${index + 1}`,
    timeoutSeconds: null,
    env: {},
    cwd: null,
    continueOnError: true,
  };
  if (typeof action === 'string') return { kind: 'run', ...base, run: action };
  return action.command === undefined
    ? { kind: 'run', ...base, run: action.run }
    : { kind: 'command', ...base, command: action.command };
}

function extraOf(raw: JsonObject): JsonObject {
  const others = Object.keys(raw).filter((name) => !REPRESENTED.has(name));
  return Object.fromEntries(others.map((name) => [name, raw[name] ?? null]));
}
