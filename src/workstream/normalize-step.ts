import { resolve } from 'node:path';
import type { StepFile } from '../domain/step-file.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { Step, ToolStep } from '../domain/workstream.ts';
import type { WorkstreamFile } from '../domain/workstream-file.ts';
import { matrixVariables } from '../domain/matrix-variables.ts';
import { substitute } from './matrix.ts';

/** Absolute folders that paths in a definition are relative to. */
export interface Folders {
  /** For modules: where the file is. */
  file: string;
  /** For everything else: where Millrace was started. */
  start: string;
}

/** The steps of a definition, for one member of its matrix. */
export function normalizeSteps(
  definition: WorkstreamFile,
  member: JsonObject | null,
  folders: Folders,
): Step[] {
  if (definition.steps === undefined) return [shorthand(definition, member)];
  return definition.steps.map((step, index) => normalizeStep(step, index, member, folders));
}

function normalizeStep(step: StepFile, index: number, member: JsonObject | null, folders: Folders): Step {
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
  if (step.run !== undefined) return { kind: 'run', ...base, run: step.run, shell: step.shell ?? null };
  if (step.command !== undefined) return { kind: 'command', ...base, command: step.command };
  return { kind: 'tool', ...base, tool: step.tool, tasks: step.tasks };
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
    tool: definition.tool ?? definition.capability ?? '',
    tasks: definition.tasks ?? (prompt === undefined ? [] : [prompt]),
  };
}
