/** What `millrace.config.json` says beside the options: the tools, the agents and the workspaces of a project. */
import { z } from 'zod';
import { containingFileFields } from './policy/sandbox-file.ts';
import { BUILT_IN_TOOLS, isBuiltIn, successPattern } from './tool.ts';
import { LIMIT_CLASSES } from './tool-report.ts';
import { type AcceptanceCommand, SHELLS } from './workstream.ts';
import { line } from './workstream-file.ts';

const argument = z.string();

const pattern = z.string().superRefine((expression, context) => {
  try {
    successPattern(expression);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    context.addIssue({ code: 'custom', message: `it is no regular expression of JavaScript: ${message}` });
  }
});

const toolSchema = z.strictObject({
  adapter: z.enum(BUILT_IN_TOOLS).optional().describe('The built-in tool that this is another form of.'),
  command: z
    .tuple([line], argument)
    .optional()
    .describe(
      'Program and arguments; {prompt}, {prompt_file}, {folder}, {model} and {session_id} are replaced.',
    ),
  args: z.array(argument).optional().describe('Arguments added to those of the adapter.'),
  env: z.record(z.string(), z.string()).optional(),
  model: line.optional().describe("The model to ask for. Default: the tool's own."),
  prompt: z
    .enum(['stdin', 'file', 'argument'])
    .optional()
    .describe('How a program without an adapter gets its prompt. Default: stdin.'),
  success: z
    .strictObject({
      exit_codes: z.array(z.int()).min(1).optional(),
      output_matches: pattern.optional(),
      output_excludes: pattern.optional(),
    })
    .optional()
    .describe('When a program without an adapter has done its work. Default: exit code 0.'),
  exit_grace_seconds: z
    .number()
    .nonnegative()
    .max(3_600)
    .optional()
    .describe('How long a built-in tool may take to exit after it has reported its result. Default: 10.'),
  account: line
    .optional()
    .describe(
      'Whose usage limits it has: tools of one account wait together. Default: that of the built-in tool of which it is another form, or its own name where it has a command or an env.',
    ),
  fallback: z
    .array(line)
    .optional()
    .describe(
      'Tools that take its place while it waits for a usage limit, under --at-limit switch; the best first.',
    ),
  limits: z
    .array(
      z.strictObject({
        output_matches: pattern,
        class: z.enum(LIMIT_CLASSES).optional(),
      }),
    )
    .optional()
    .describe(
      'How a program without an adapter says that it met a usage limit: a regular expression of a line, whose group "resets" is the time at which it passes. The class is window (the default), rate, cap or auth.',
    ),
  max_cost_usd: z.number().nonnegative().optional().describe('US dollars that it may cost in one run.'),
  starts_per_minute: z.number().positive().optional().describe('How often it may be started in a minute.'),
  ...containingFileFields,
});

/** What can only be known with a tool's name: one that is not built in needs a command and all that this asks for. */
function checkTools(tools: Record<string, z.output<typeof toolSchema>>, context: z.RefinementCtx): void {
  for (const [name, { adapter, command, args = [], model }] of Object.entries(tools)) {
    if (adapter !== undefined || isBuiltIn(name)) continue;
    const problem = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [name, field], message });
    if (command === undefined) problem('command', 'a tool without an adapter needs a command');
    const asksForModel = [...(command ?? []), ...args].some((argument) => argument.includes('{model}'));
    if (asksForModel && model === undefined)
      problem('model', 'its arguments hold {model}, and it names none');
  }
}

const agentSchema = z.strictObject({
  name: z
    .string()
    .regex(/^(?!coordinator$)[a-z0-9][a-z0-9-]{0,49}$/, 'lower-case letters, digits and "-"')
    .describe('Name in results and reports.'),
  tool: line.optional().describe('The tool that it uses for every tool step, whatever the step names.'),
  tracks: z.array(line).optional().describe('The tracks it takes. Default: all.'),
});

/** The first name that is there twice, in quotes. */
function twice(agents: unknown): string {
  const names =
    z
      .array(agentSchema)
      .safeParse(agents)
      .data?.map(({ name }) => name) ?? [];
  return JSON.stringify(names.find((name, index) => names.indexOf(name) !== index));
}

const mergeTest = z.strictObject({
  run: line.describe('A command that passes with exit code 0.'),
  name: line.max(200).optional().describe('What to call it. Default: the command.'),
  timeout_seconds: z
    .number()
    .positive()
    .max(7 * 86_400)
    .optional()
    .describe('It fails when it runs longer than this.'),
  cwd: line.optional().describe('Folder to run in, relative to the worktree. Default: the worktree.'),
});

const gate = z.enum(['GATE_LINT', 'GATE_UNIT', 'GATE_INTEGRATION', 'GATE_SECURITY']);

const sections = z.strictObject({
  tools: z.record(z.string(), toolSchema).superRefine(checkTools).default({}),
  /** Which tool does the work of a capability. */
  capabilities: z.record(z.string(), line).default({}),
  /** What runs the shell lines of definitions, gates and setup that name no shell. */
  shell: z.enum(SHELLS).default('sh'),
  /** The command of each gate. */
  gates: z.partialRecord(gate, line).default({}),
  /** Commands that have to pass on everything that is merged, beside the acceptance tests. */
  merge_tests: z.array(z.union([line, mergeTest])).default([]),
  /** People that commits of Millrace name as co-authors. */
  co_authors: z
    .array(
      z.string().regex(/^[^<>\r\n]+ <[^<>\s]+>$/, 'a name and an address: Ada Lovelace <ada@example.com>'),
    )
    .default([]),
  worktree: z
    .strictObject({
      /** What ignored files a worktree gets as copies, and which as links. */
      copy: z.array(line).default([]),
      link: z.array(line).default([]),
      /** A shell line that prepares a worktree. */
      setup: line.nullable().default(null),
    })
    .prefault({}),
  /** The agents by name; empty for agent-1 to agent-N. */
  agents: z
    .array(agentSchema)
    .refine((agents) => new Set(agents.map(({ name }) => name)).size === agents.length, {
      error: ({ input }) => `the name ${twice(input)} is used more than once`,
    })
    .default([]),
  /** Ids and globs of the workstreams of each track. */
  tracks: z.record(z.string(), z.array(line)).default({}),
  /** Names and globs of environment variables. */
  redact: z
    .strictObject({
      /** Whose values are redacted beside those whose names look like secrets. */
      names: z.array(line).default([]),
      /** Whose values are not, whatever they are called. */
      keep: z.array(line).default([]),
    })
    .prefault({}),
});

/** What agents, fallbacks and capabilities call a tool is one: built in, described under `tools`, or a capability, but for capabilities. */
function checkToolNames(
  { tools, capabilities, agents }: z.output<typeof sections>,
  context: z.RefinementCtx,
): void {
  const names = [...BUILT_IN_TOOLS, ...Object.keys(tools), ...Object.keys(capabilities)];
  const check = (tool: string | undefined, path: PropertyKey[], known: readonly string[]): void => {
    if (tool === undefined || known.includes(tool)) return;
    const message = `there is no tool ${JSON.stringify(tool)}; known are ${[...new Set(known)].join(', ')}`;
    context.addIssue({ code: 'custom', path, message });
  };
  for (const [tool, { fallback = [] }] of Object.entries(tools))
    for (const [index, name] of fallback.entries()) check(name, ['tools', tool, 'fallback', index], names);
  for (const [index, agent] of agents.entries()) check(agent.tool, ['agents', index, 'tool'], names);
  const withoutCapabilities = names.slice(0, names.length - Object.keys(capabilities).length);
  for (const [name, tool] of Object.entries(capabilities))
    check(tool, ['capabilities', name], withoutCapabilities);
}

export const projectSchema = sections.superRefine(checkToolNames);

/** The sections of a project's configuration, with defaults filled in. */
export type Project = z.output<typeof projectSchema>;

/** The tests of what is merged, as commands. */
export const mergeTestsOf = ({ merge_tests }: Project): AcceptanceCommand[] =>
  merge_tests.map((test) => {
    const {
      run,
      name = null,
      timeout_seconds = null,
      cwd = null,
    } = typeof test === 'string' ? { run: test } : test;
    return {
      kind: 'run',
      text: run,
      shell: null,
      name,
      timeoutSeconds: timeout_seconds,
      env: {},
      cwd,
      report: null,
    };
  });

export type ToolConfig = Project['tools'][string];
export type NamedAgent = Project['agents'][number];

/** The fields that the schema has at this path; null where names are free, and for what is no object. */
export function fieldsAt(path: readonly PropertyKey[]): readonly string[] | null {
  let schema: unknown = projectSchema;
  for (const segment of path) {
    const here = unwrapped(schema);
    if (here instanceof z.ZodObject) schema = here.shape[String(segment)];
    else if (here instanceof z.ZodRecord) schema = here.valueType;
    else schema = here instanceof z.ZodArray ? here.element : undefined;
  }
  const here = unwrapped(schema);
  if (here instanceof z.ZodObject) return Object.keys(here.shape);
  return here instanceof z.ZodRecord && here.keyType instanceof z.ZodEnum
    ? here.keyType.options.map(String)
    : null;
}

function unwrapped(schema: unknown): unknown {
  const isWrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable;
  return isWrapped ? unwrapped(schema.unwrap()) : schema;
}
