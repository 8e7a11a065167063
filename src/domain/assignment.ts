/**
 * One workstream given to one agent: everything that the agent needs, as JSON, so that it can cross to a thread, a
 * process or another machine.
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { failureSchema } from './failure.ts';
import type { Json, JsonObject } from './json.ts';
import { reviewSchema } from './policy/review.ts';
import { containingShape } from './policy/sandbox-file.ts';
import { BUILT_IN_TOOLS, type ToolSettings } from './tool.ts';
import { LIMIT_CLASSES } from './tool-report.ts';
import {
  type AcceptanceTest,
  type CommandStep,
  GATE_TYPES,
  ON_RETRY,
  type RunStep,
  SHELLS,
  type Step,
  type Workstream,
} from './workstream.ts';

const count = z.number().int().nonnegative();
const seconds = z.number().positive();
const texts = z.array(z.string());
const variables = z.record(z.string(), z.string());
const shell = z.enum(SHELLS);
const commandLine = z.tuple([z.string()], z.string());
const json: z.ZodType<Json> = z.json();
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json);

const step = {
  id: z.string(),
  timeoutSeconds: seconds.nullable(),
  env: variables,
  cwd: z.string().nullable(),
  continueOnError: z.boolean(),
};
const runStep = z.strictObject({
  ...step,
  ...containingShape,
  kind: z.literal('run'),
  run: z.string(),
  shell: shell.nullable(),
});
const commandStep = z.strictObject({
  ...step,
  ...containingShape,
  kind: z.literal('command'),
  command: commandLine,
});
const stepSchemas = {
  module: z.strictObject({
    ...step,
    kind: z.literal('module'),
    module: z.string(),
    export: z.string(),
    input: json,
  }),
  run: runStep,
  command: commandStep,
  tool: z.strictObject({
    ...step,
    ...containingShape,
    kind: z.literal('tool'),
    tool: z.string(),
    tasks: texts,
    prompt: z.string().optional(),
  }),
} satisfies { [Kind in Step['kind']]: z.ZodType<Extract<Step, { kind: Kind }>> };
const stepSchema: z.ZodType<Step> = z.union(Object.values(stepSchemas));
const actionSchema: z.ZodType<RunStep | CommandStep> = z.discriminatedUnion('kind', [runStep, commandStep]);

const acceptanceTestSchema: z.ZodType<AcceptanceTest> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('run'),
    text: z.string(),
    shell: shell.nullable(),
    name: z.string().nullable(),
    timeoutSeconds: seconds.nullable(),
    env: variables,
    cwd: z.string().nullable(),
    report: z.string().nullable(),
  }),
  z.strictObject({ kind: z.enum(['manual', 'text']), text: z.string() }),
]);

/** `Workstream` says what each field means. */
export const workstreamSchema: z.ZodType<Workstream> = z.strictObject({
  id: z.string(),
  base: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  kind: z.string().nullable(),
  priority: z.number().int(),
  dependsOn: z.array(z.strictObject({ id: z.string(), when: z.enum(['completed', 'finished']) })),
  steps: z.array(stepSchema),
  acceptanceTests: z.array(acceptanceTestSchema),
  testGates: z.array(
    z.strictObject({ type: z.enum(GATE_TYPES), required: z.boolean(), blocking: z.boolean() }),
  ),
  scopes: texts,
  conflictGroup: z.string().nullable(),
  parallelOk: z.boolean(),
  filesScope: texts,
  filesCreate: texts,
  circuitBreaker: z.strictObject({
    maxAttempts: count,
    maxErrorRepeats: count.nullable(),
    oscillationThreshold: count.nullable(),
    cooldownSeconds: z.number().nonnegative(),
  }),
  compensation: z.array(actionSchema),
  workspace: z.enum(['shared', 'worktree']).nullable(),
  onRetry: z.enum(ON_RETRY).nullable(),
  review: reviewSchema.nullable(),
  maxCostUsd: z.number().nullable(),
  gate: count.nullable(),
  track: z.string().nullable(),
  timeoutSeconds: seconds.nullable(),
  isolation: z.enum(['thread', 'process']),
  memoryLimitMb: z.number().positive().nullable(),
  cpus: z.number().positive().nullable(),
  memoryMb: z.number().positive().nullable(),
  requires: texts,
  cache: z.strictObject({ inputs: texts, env: texts }).nullable(),
  ...containingShape,
  matrix: jsonObject.nullable(),
  outputs: texts,
  extra: jsonObject,
  source: z.strictObject({ file: z.string(), position: count }),
  hash: z.string(),
});

/** `ToolSettings` says what each field means. */
const toolSettingsSchema: z.ZodType<ToolSettings> = z.strictObject({
  name: z.string(),
  adapter: z.enum([...BUILT_IN_TOOLS, 'custom']),
  command: commandLine,
  args: texts,
  env: variables,
  model: z.string().nullable(),
  prompt: z.enum(['stdin', 'file', 'argument']),
  success: z.strictObject({
    exitCodes: z.array(z.number().int()),
    outputMatches: z.string().nullable(),
    outputExcludes: z.string().nullable(),
  }),
  exitGraceSeconds: z.number().nonnegative(),
  account: z.string(),
  fallback: texts,
  limits: z.array(z.strictObject({ outputMatches: z.string(), class: z.enum(LIMIT_CLASSES) })),
  maxCostUsd: z.number().nonnegative().nullable(),
  startsPerMinute: z.number().positive().nullable(),
  ...containingShape,
});

const limitsSchema = z.strictObject({
  timeoutSeconds: seconds,
  /** How long what is asked to stop may take before it is ended. */
  graceSeconds: z.number().nonnegative(),
  /** Largest output of one step in MB (10^6 bytes). */
  maxOutputMb: z.number().nonnegative(),
});
/** Hard limits of one execution. */
export type Limits = z.infer<typeof limitsSchema>;

const sessionSchema = z.strictObject({
  /** Why the work is not done: as the prompt says it. */
  why: failureSchema,
  /** Whether the attempt goes on that was under way, because a usage limit ended it. */
  sameAttempt: z.boolean(),
  /** The session of each tool step, by the step's id; those of which none is known are absent. */
  steps: z.record(z.string(), z.strictObject({ tool: z.string(), id: z.string() })),
});
/** Sessions of tools that an execution goes on with, in the workspace that they were in. */
export type ContinuedSession = z.infer<typeof sessionSchema>;

const costLimitSchema = z.strictObject({
  of: z.enum(['workstream', 'run', 'tool']),
  limitUsd: z.number(),
  spentUsd: z.number(),
  /** Whose limit it is, of a tool's. */
  tool: z.string().optional(),
});
/** A limit in US dollars, and what is known to be spent of it when the execution begins. */
export type CostLimit = z.infer<typeof costLimitSchema>;

/** Paths are relative to the project's folder where they are below it, with `.` for the folder itself. */
export const assignmentSchema = z.strictObject({
  /** Unique within the process; ties messages and cancellation to this execution. */
  executionId: count,
  runId: z.string(),
  agentId: z.string(),
  /** Counted from 1. */
  attempt: count,
  /** The paths of its modules and the `cwd` of its steps are absolute. */
  workstream: workstreamSchema,
  /** Folder in which commands run unless a step says otherwise. */
  workspace: z.string(),
  /** `output` of each workstream it depends on, by id. */
  dependencies: z.record(z.string(), json),
  /** Path for the whole output of this execution; the file is made when there is output. */
  logFile: z.string(),
  limits: limitsSchema,
  /** How the tools of its tool steps are called, by the name that the step uses; unknown tools are absent. */
  tools: z.record(z.string(), toolSettingsSchema),
  /** The shell line of each type of test gate; a type without one is absent. */
  gates: variables,
  /** What runs shell lines that name no shell. */
  shell,
  /** A shell line that prepares the workspace before the first step; null for none. */
  setup: z.string().nullable(),
  /** Why the attempt before this one failed; null for the first. */
  previousFailure: failureSchema.nullable(),
  /** The sessions of tools to go on with; null to begin afresh. */
  session: sessionSchema.nullable(),
  /** What limits the cost of its tools, that of which least is left first; empty for no limit. */
  budgets: z.array(costLimitSchema),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/**
 * A path as an assignment carries it.
 * @param project absolute folder of the project.
 */
export function relativeToProject(path: string, project: string): string {
  if (path === project) return '.';
  const prefix = project.endsWith('/') ? project : `${project}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

const absoluteFrom = (path: string, project: string): string => {
  if (isAbsolute(path)) return path;
  return path === '.' ? project : `${project}/${path}`;
};

/**
 * The same assignment on a machine where the project is in this absolute folder. Written out, as it is done for each
 * execution.
 */
export function inProject(assignment: Assignment, project: string): Assignment {
  return {
    executionId: assignment.executionId,
    runId: assignment.runId,
    agentId: assignment.agentId,
    attempt: assignment.attempt,
    workstream: assignment.workstream,
    workspace: absoluteFrom(assignment.workspace, project),
    dependencies: assignment.dependencies,
    logFile: absoluteFrom(assignment.logFile, project),
    limits: assignment.limits,
    tools: assignment.tools,
    gates: assignment.gates,
    shell: assignment.shell,
    setup: assignment.setup,
    previousFailure: assignment.previousFailure,
    session: assignment.session,
    budgets: assignment.budgets,
  };
}
