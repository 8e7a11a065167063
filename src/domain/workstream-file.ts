/**
 * What a person writes in `workstreams/*.json`. These schemas check it, type it, and are published as a JSON Schema for
 * editors. `workstream.ts` has what it becomes. First what stands in its lists: steps, dependencies, tests, actions.
 */
import { z } from 'zod';
import type { Json } from './json.ts';
import { containingFileFields } from './policy/sandbox-file.ts';
import { GATE_TYPES, ON_RETRY, SHELLS } from './workstream.ts';

/*
 * Every custom message in these schemas is the end of a sentence that begins with "expected".
 */

/** Longest limit in seconds: a timer holds at most 2^31 - 1 milliseconds. */
const MAX_SECONDS = 2_147_483;

/** More processors than any machine has. */
const MAX_CPUS = 65_536;

// oxlint-disable-next-line no-control-regex
const WITHOUT_NUL = /^[^\u0000]*$/;
const NOT_EMPTY = /\S/;

/** Text that can be handed to another process: an argument, the value of an environment variable. */
const argument = z.string().regex(WITHOUT_NUL, 'text without NUL characters').meta({ id: 'argument' });

/** An `argument` that says something. */
export const line = argument.regex(NOT_EMPTY, 'text that is not empty').meta({ id: 'line' });

/** Whether it is a `line`, without the schema. */
export const isLine = (value: unknown): value is string =>
  typeof value === 'string' && WITHOUT_NUL.test(value) && NOT_EMPTY.test(value);

/** A limit in seconds. */
const seconds = z.number().positive().max(MAX_SECONDS).meta({ id: 'seconds' });

/** Any value: what comes out of a JSON parser needs no check, only its type. */
const json = () => z.unknown().pipe(z.custom<Json>());

/** A key that belongs to another alternative and therefore has no place here. */
const elsewhere = z.never().optional();

/** Environment variables that a definition adds. */
const environment = z.record(
  z.string().regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name of letters, digits and "_"'),
  z.union([argument, z.number(), z.boolean()], {
    error: 'a string, a number, true or false',
  }),
);

const stepBase = {
  id: line.max(100).optional().describe('Name of the step in results and logs. Default: step-N.'),
  timeout_seconds: seconds.optional().describe('The step fails when it runs longer than this.'),
  env: environment.optional().describe('Environment variables added for this step.'),
  cwd: line
    .optional()
    .describe('Folder to run in, relative to the one that millrace was started in. Default: that folder.'),
  continue_on_error: z
    .boolean()
    .optional()
    .describe('true: when this step fails, that is a warning and the next step runs. Default: false.'),
};

/** What runs a shell line. */
const shell = z
  .enum(SHELLS)
  .optional()
  .describe(
    'What runs it: sh, or bash, which also ends at any command that fails and sees a failure anywhere in a pipeline. Default: that of the configuration, or sh.',
  );

const command = z.tuple([line], argument).describe('A program and its arguments.');

/** What a tool is told to do. */
const tasksSchema = z.array(line).min(1);

/** The kinds of step, by the key that tells them apart. */
export const stepSchemas = {
  module: z
    .object({
      module: line.describe('Path of an ES module (.mjs, .js, .ts), relative to this file.'),
      export: line.optional().describe('Name of the exported function. Default: default.'),
      input: json().optional().describe('First argument of the function: any JSON value.'),
      run: elsewhere,
      command: elsewhere,
      tool: elsewhere,
      ...stepBase,
    })
    .describe('Calls a function of an ES module in the worker thread.'),
  run: z
    .object({
      run: line.describe('What the shell runs; of several lines the first that fails ends it.'),
      shell,
      module: elsewhere,
      command: elsewhere,
      tool: elsewhere,
      ...stepBase,
      ...containingFileFields,
    })
    .describe('Runs a line through the shell in a child process.'),
  command: z
    .object({
      command,
      module: elsewhere,
      run: elsewhere,
      tool: elsewhere,
      ...stepBase,
      ...containingFileFields,
    })
    .describe('Runs a program in a child process, without a shell.'),
  tool: z
    .object({
      tool: line.describe('A coding agent, such as aider or claude.'),
      tasks: tasksSchema.describe('What the tool is told to do.'),
      module: elsewhere,
      run: elsewhere,
      command: elsewhere,
      ...stepBase,
      ...containingFileFields,
    })
    .describe('Gives tasks to a coding agent.'),
};

export const stepSchema = z.union([
  stepSchemas.module,
  stepSchemas.run,
  stepSchemas.command,
  stepSchemas.tool,
]);
export type StepFile = z.infer<typeof stepSchema>;

/** The form of a dependency that is an object. */
export const dependencySchemas = {
  id: z.object({
    id: line.describe('The workstream that this one waits for.'),
    when: z
      .enum(['completed', 'finished'])
      .optional()
      .describe(
        'completed (default): it must have completed. finished: it may also have failed or been skipped.',
      ),
  }),
};

const dependencySchema = z.union([line, dependencySchemas.id]);

/** The forms of an acceptance test that leave no doubt. */
export const acceptanceSchemas = {
  run: z.object({
    run: line.describe('A command that passes with exit code 0.'),
    shell,
    name: line.max(200).optional().describe('What to call it. Default: the command.'),
    timeout_seconds: seconds.optional().describe('The test fails when it runs longer than this.'),
    env: environment.optional().describe('Environment variables added for this test.'),
    cwd: line.optional().describe('Folder to run in, relative to the workspace. Default: the workspace.'),
    report: line
      .optional()
      .describe(
        'Path or glob of the result files that the command writes (JUnit XML, TAP, JSON of vitest or jest), relative to the workspace.',
      ),
    manual: elsewhere,
  }),
  manual: z.object({ manual: line.describe('Something for a person to check.'), run: elsewhere }),
};

const acceptanceSchema = z.union([line, acceptanceSchemas.run, acceptanceSchemas.manual]);

/** The forms of a compensation action that are objects. */
export const actionSchemas = {
  run: z.object({ run: line.describe('What the shell runs.'), shell, command: elsewhere }),
  command: z.object({ command, run: elsewhere }),
};

const actionSchema = z.union([line, actionSchemas.run, actionSchemas.command]);

/** The form of a test gate. */
export const gateSchemas = {
  type: z.object({
    type: z.enum(GATE_TYPES).describe('What is checked; its command is in gates of millrace.config.json.'),
    required: z
      .boolean()
      .optional()
      .describe('false: without a configured command there is nothing to check. Default: true.'),
    blocking: z.boolean().optional().describe('false: a failure is only a warning. Default: true.'),
  }),
};

/** The words for `priority` and what they count as. Greater is earlier; an unknown word counts as `normal`. */
export const PRIORITY_WORDS = {
  critical: 2,
  P0: 2,
  high: 1,
  P1: 1,
  foreground: 1,
  normal: 0,
  medium: 0,
  P2: 0,
  low: -1,
  P3: -1,
  background: -1,
} as const;
const priorityWords = Object.keys(PRIORITY_WORDS);

/** Most elements of one list in a definition. */
export const MAX_ELEMENTS = 100_000;

/** Most names in a matrix, and in a step's `env`. */
export const MAX_NAMES = 1000;

const MATRIX_NAME_PATTERN = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]*$/;

/** What the name of a value of a matrix has to be, as the end of a message. */
export const MATRIX_NAME = 'a name of letters, digits, "_" and "-", a letter first';

/** Whether it is the name of a value of a matrix, without the schema. */
export const isMatrixName = (name: string): boolean => MATRIX_NAME_PATTERN.test(name);

/** Longest path or glob in characters, as systems have it. */
const MAX_PATH = 4096;

const paths = z.array(line.max(MAX_PATH)).max(MAX_ELEMENTS);
const count = z.int().min(0);

export const circuitBreakerSchema = z.object({
  max_attempts: z.int().min(1).optional().describe('How often it is tried in all. Default: 1.'),
  max_error_repeats: z
    .int()
    .min(1)
    .optional()
    .describe('No more attempts once the same error came this often in a row.'),
  oscillation_threshold: z
    .int()
    .min(1)
    .optional()
    .describe('No more attempts once the same content came back this often.'),
  cooldown_seconds: z.number().min(0).max(2_147_483).optional().describe('Pause before a retry. Default: 0.'),
});

export const cacheSchema = z.object({
  inputs: paths
    .optional()
    .describe(
      'Paths and globs of the files that it reads, relative to the folder millrace was started in; "!" before one leaves files out.',
    ),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name of letters, digits and "_"'))
    .max(MAX_NAMES)
    .optional()
    .describe('Names of the environment variables that it reads.'),
});

export const capabilityPayloadSchema = z.object({
  files: z.array(line).optional().describe('Files the capability works on.'),
  prompt: line.optional().describe('What is asked of the capability.'),
  timeout_ms: z.number().positive().optional().describe('Limit in milliseconds.'),
  max_retries: count.optional(),
});

const ID = /^[a-z0-9][a-z0-9-]{0,99}$/;

/** Whether it is the id of a workstream, without the schema. */
export const isWorkstreamId = (value: unknown): value is string =>
  typeof value === 'string' && ID.test(value);

export const reviewFileSchema = z
  .object({
    tool: line.describe('The tool that reviews, best another one than the one that did the work.'),
    tasks: tasksSchema
      .max(MAX_ELEMENTS)
      .optional()
      .describe('What it is to look at. Default: the change as a whole.'),
    blocks: z
      .boolean()
      .optional()
      .describe(
        'true: work that it rejects is not accepted and not merged, nor is work of which it gives no verdict. Default: false, what it says is recorded.',
      ),
    timeout_seconds: seconds
      .optional()
      .describe('Hard limit for the review. Default: that of the workstream.'),
  })
  .describe('A review of the change by another tool, after its acceptance tests and before it is merged.');

const fields = z.object({
  $schema: z.string().optional().describe('Where the JSON Schema of this file is, for editors.'),
  id: z
    .string()
    .regex(ID, 'lower-case letters, digits and "-", a letter or digit first, at most 100 characters')
    .meta({
      description: 'Unique in the run. Lower-case letters, digits and "-".',
      examples: ['ws-build'],
    }),
  title: z.string().optional().describe('A few words for people. Default: the id.'),
  description: z.string().optional().describe('More for people; millrace only shows it.'),
  kind: z.string().optional().describe('A word of your own to tell workstreams apart.'),
  priority: z
    .union([z.int(), z.enum(priorityWords), z.string()], {
      error: 'an integer or a word such as "high"',
    })
    .optional()
    .describe(
      'Greater is earlier. An integer, or critical, P0 (2), high, P1, foreground (1), normal, medium, P2 (0), low, P3, background (-1). Default: normal.',
    ),
  metadata: z.record(z.string(), z.unknown()).optional().describe('Anything; kept with the result.'),
  depends_on: z
    .array(dependencySchema)
    .max(MAX_ELEMENTS)
    .optional()
    .describe(
      'Workstreams that come first: ids, or { "id", "when" }. The id of one with a matrix means all its members.',
    ),
  steps: z
    .array(stepSchema)
    .min(1)
    .max(MAX_ELEMENTS)
    .optional()
    .describe('Executed in order: module, run, command or tool. The first that fails ends the workstream.'),
  tool: line.optional().describe('With tasks: short for one tool step.'),
  tasks: tasksSchema.max(MAX_ELEMENTS).optional().describe('What the tool or capability is told to do.'),
  files_scope: paths
    .optional()
    .describe('Paths and globs it owns. Workstreams whose scopes overlap never run at the same time.'),
  files_create: paths.optional().describe('Paths it will create; owned like files_scope.'),
  conflict_group: line.optional().describe('Members of one group never run at the same time.'),
  parallel_ok: z.boolean().optional().describe('false: nothing else runs beside it. Default: true.'),
  acceptance_tests: z
    .array(acceptanceSchema)
    .max(MAX_ELEMENTS)
    .optional()
    .describe(
      'Commands that decide whether the work is accepted; prose is a check by hand. { "run" } and { "manual" } leave no doubt.',
    ),
  circuit_breaker: circuitBreakerSchema.optional().describe('How often it is tried.'),
  on_retry: z
    .enum(ON_RETRY)
    .optional()
    .describe(
      'Whether another attempt goes on in the same workspace and in the session of its coding agent, or begins afresh. Default: it goes on after a usage limit, a time limit and an interruption.',
    ),
  review: reviewFileSchema.optional(),
  compensation_actions: z
    .array(actionSchema)
    .max(MAX_ELEMENTS)
    .optional()
    .describe('Commands run, the last first, when the workstream fails for good.'),
  timeout_seconds: seconds
    .optional()
    .describe('Hard limit for one attempt. Default: the limit of the run, 3600.'),
  memory_limit_mb: z
    .number()
    .min(16)
    .optional()
    .describe(
      'Most memory it may use in MB. It then runs in a process of its own: its JavaScript heap is limited, and on Linux Buffers and native memory too. Processes that it starts are not.',
    ),
  cpus: z
    .number()
    .positive()
    .max(MAX_CPUS)
    .optional()
    .describe(
      'Processors that it needs, reserved while it is executed: workstreams that need more together than the run may use (--cpus) do not run at the same time. A fraction is allowed. Default: none is reserved, and 1 where the run has --cpus.',
    ),
  memory_mb: z
    .number()
    .positive()
    .optional()
    .describe(
      'Memory that it needs in MB, reserved while it is executed, what it starts included: workstreams that need more together than the run may use (--memory) do not run at the same time. It is no limit. Default: memory_limit_mb, or none.',
    ),
  requires: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, 'lower-case letters, digits and . _ -'))
    .max(20)
    .optional()
    .describe(
      'What a host has to provide to execute it, such as ["gpu"], in a run over a queue (--queue): only hosts that were started with --provides for all of these get it. Without --queue it is executed here, whatever it says.',
    ),
  isolation: z
    .enum(['thread', 'process'])
    .optional()
    .describe(
      'Where it is executed: in a worker thread, or in a process of its own that it may crash. Default: thread, and process with memory_limit_mb.',
    ),
  workspace: z
    .enum(['shared', 'worktree'])
    .optional()
    .describe(
      'shared: the folder millrace was started in. worktree: a git worktree of its own, the default for tool steps.',
    ),
  matrix: z
    .record(z.string().regex(MATRIX_NAME_PATTERN, MATRIX_NAME), z.array(json()).min(1))
    .refine((matrix) => Object.keys(matrix).length > 0, 'at least one name with its values')
    .optional()
    .meta({
      description:
        'Makes one workstream of each combination of these values, such as base-seed-1. In title, description, outputs and input they are ${{ matrix.name }}; a command finds them in $MATRIX_NAME. include and exclude work as in the matrices of GitHub Actions.',
      minProperties: 1,
      properties: {
        include: {
          type: 'array',
          minItems: 1,
          items: { type: 'object', minProperties: 1 },
          description:
            'Values that are added to each combination that has the values it gives for names of the lists; one that fits none is a workstream of its own.',
        },
        exclude: {
          type: 'array',
          minItems: 1,
          items: { type: 'object', minProperties: 1 },
          description: 'Combinations that are left out: those that have all values of an element.',
        },
      },
      examples: [{ seed: [1, 2, 3] }],
    }),
  ids: z
    .enum(['values', 'position'])
    .optional()
    .describe(
      'What the ids of a matrix are made of: values (default), such as base-seed-1, or the position, such as base-1.',
    ),
  outputs: paths
    .optional()
    .describe(
      'Paths and globs of the files that it makes, relative to the folder it works in. They are listed with size and hash.',
    ),
  cache: z
    .union([z.boolean(), cacheSchema], { error: 'true, false, or an object with inputs and env' })
    .optional()
    .describe(
      'What its result depends on beside its definition, its modules and the outputs of its dependencies. Where nothing of that has changed since it completed, the result is taken over and not computed again. true: nothing else.',
    ),
  ...containingFileFields,
  track: line
    .optional()
    .describe('The track it belongs to: agents that are named in the configuration take theirs.'),
  openspec_change: z.string().optional().describe('The OpenSpec change it belongs to.'),
  ccpm_issue: z
    .union([z.number(), z.string()], { error: 'a number or text' })
    .optional()
    .describe('The issue it belongs to.'),
  gate: z
    .int()
    .min(1)
    .optional()
    .describe(
      'The stage it belongs to, from 1. It starts when all work of lower stages has ended, however it ended.',
    ),
  capability: line
    .optional()
    .describe('A capability that does the work when there are no steps and no tool.'),
  capability_payload: capabilityPayloadSchema.optional().describe('What the capability is given.'),
  test_gates: z.array(gateSchemas.type).max(MAX_ELEMENTS).optional().describe('Gates it has to pass.'),
  estimated_context_tokens: count.optional().describe('Estimated size of its context.'),
  max_cost_usd: z.number().min(0).optional().describe('Most that it may cost in US dollars.'),
  doc_id: z.string().optional().describe('A document it belongs to.'),
});

/** Names of all fields. Keys that begin with `_comment` are allowed beside them, everywhere. */
export const WORKSTREAM_FIELDS: readonly string[] = Object.keys(fields.shape);

/** A definition. What JSON Schema can say about fields together is said in `anyOf`; the loader has the same rules. */
export const workstreamFileSchema = fields.meta({
  id: 'workstream',
  title: 'Workstream',
  description: 'One unit of work for millrace.',
  anyOf: [
    { required: ['steps'], not: { anyOf: [{ required: ['tool'] }, { required: ['tasks'] }] } },
    { required: ['tool', 'tasks'], not: { required: ['steps'] } },
    { required: ['capability'], not: { anyOf: [{ required: ['steps'] }, { required: ['tool'] }] } },
  ],
});
export type WorkstreamFile = z.infer<typeof workstreamFileSchema>;
