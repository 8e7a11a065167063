/** Finds the program for the name of a tool. */

import { normalizeContaining } from '../domain/policy/sandbox-file.ts';
import type { Project, ToolConfig } from '../domain/project.ts';
import { BUILT_IN_TOOLS, EXIT_GRACE_SECONDS, isBuiltIn, type ToolSettings } from '../domain/tool.ts';
import type { KnownTools } from '../workstream/definition.ts';
import type { RunOptions } from './options.ts';

/** The options that decide which tool a step gets. */
export type ToolOptions = Pick<RunOptions, 'project' | 'tool' | 'bestOf'>;

/**
 * How the tool of this name is called; null when no tool is called that. A name is looked for among the tools of the
 * configuration, then among the built-in ones, then among the capabilities, each of which names a tool.
 */
export function toolSettings(name: string, project: Project): ToolSettings | null {
  const config = ownValue(project.tools, name);
  if (config !== undefined) return fromConfig(name, config);
  if (isBuiltIn(name)) return fromConfig(name, {});
  const tool = ownValue(project.capabilities, name);
  return tool === undefined || tool === name ? null : toolSettings(tool, { ...project, capabilities: {} });
}

/**
 * The tools that the steps of definitions may name. Null where a tool is named for them: by the run, or by any of its
 * agents, which may be the one that takes the step.
 */
export function knownTools({ project, tool, bestOf }: ToolOptions): KnownTools | null {
  const isOverridden =
    tool !== null || bestOf.length > 0 || project.agents.some((agent) => agent.tool !== undefined);
  if (isOverridden) return null;
  const names = [...BUILT_IN_TOOLS, ...Object.keys(project.tools), ...Object.keys(project.capabilities)];
  return { names: [...new Set(names)], isKnown: (name) => toolSettings(name, project) !== null };
}

/** A configuration without an adapter of its own extends the built-in tool of its name, or is a program of its own. */
function fromConfig(name: string, config: ToolConfig): ToolSettings | null {
  const adapter = config.adapter ?? (isBuiltIn(name) ? name : 'custom');
  const command = config.command ?? (adapter === 'custom' ? undefined : ([adapter] as [string]));
  if (command === undefined) return null;
  return {
    name,
    adapter,
    command,
    args: config.args ?? [],
    env: config.env ?? {},
    model: config.model ?? null,
    prompt: config.prompt ?? 'stdin',
    success: {
      exitCodes: config.success?.exit_codes ?? [0],
      outputMatches: config.success?.output_matches ?? null,
      outputExcludes: config.success?.output_excludes ?? null,
    },
    exitGraceSeconds: config.exit_grace_seconds ?? EXIT_GRACE_SECONDS,
    account: config.account ?? accountOf(name, adapter, config),
    fallback: config.fallback ?? [],
    limits: (config.limits ?? []).map(({ output_matches, class: kind }) => ({
      outputMatches: output_matches,
      class: kind ?? 'window',
    })),
    maxCostUsd: config.max_cost_usd ?? null,
    startsPerMinute: config.starts_per_minute ?? null,
    ...normalizeContaining(config),
  };
}

/** Other forms of a built-in tool have its account, unless their environment or their program may have another. */
const accountOf = (name: string, adapter: ToolSettings['adapter'], { env, command }: ToolConfig): string =>
  adapter === 'custom' || env !== undefined || command !== undefined ? name : adapter;

const ownValue = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
