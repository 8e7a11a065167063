/** What a person writes inside the lists of a workstream file: steps, dependencies, acceptance tests, actions. */
import { z } from 'zod';
import type { Json } from './json.ts';
import { SHELLS } from './shell.ts';
import { GATE_TYPES } from './workstream.ts';

/*
 * Every custom message in these schemas is the end of a sentence that begins with "expected".
 */

/** Longest limit in seconds: a timer holds at most 2^31 - 1 milliseconds. */
const MAX_SECONDS = 2_147_483;

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
export const seconds = z.number().positive().max(MAX_SECONDS).meta({ id: 'seconds' });

/** Any value: what comes out of a JSON parser needs no check, only its type. */
export const json = () => z.unknown().pipe(z.custom<Json>());

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
export const tasksSchema = z.array(line).min(1);

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
    })
    .describe('Runs a line through the shell in a child process.'),
  command: z
    .object({
      command,
      module: elsewhere,
      run: elsewhere,
      tool: elsewhere,
      ...stepBase,
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

export const dependencySchema = z.union([line, dependencySchemas.id]);

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

export const acceptanceSchema = z.union([line, acceptanceSchemas.run, acceptanceSchemas.manual]);

/** The forms of a compensation action that are objects. */
export const actionSchemas = {
  run: z.object({ run: line.describe('What the shell runs.'), shell, command: elsewhere }),
  command: z.object({ command, run: elsewhere }),
};

export const actionSchema = z.union([line, actionSchemas.run, actionSchemas.command]);

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
