/**
 * What a person writes in `workstreams/*.json`. These schemas check it, type it, and are published as a JSON Schema
 * for editors. `workstream.ts` has what it becomes.
 */
import { z } from 'zod';
import {
  acceptanceSchema,
  actionSchema,
  dependencySchema,
  gateSchemas,
  json,
  line,
  seconds,
  stepSchema,
  tasksSchema,
} from './step-file.ts';

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
    .record(
      z
        .string()
        .regex(
          /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]*$/,
          'a name of letters, digits, "_" and "-", a letter first',
        ),
      z.array(json()).min(1),
    )
    .refine((matrix) => Object.keys(matrix).length > 0, 'at least one name with its values')
    .optional()
    .meta({
      description:
        'Makes one workstream of each combination of these values, base-1, base-2, … In title, description and input they are ${{ matrix.name }}; a command finds them in $MATRIX_NAME.',
      minProperties: 1,
      examples: [{ seed: [1, 2, 3] }],
    }),
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
