/** Which program stands behind the name of a tool. */
import type { Project, ToolConfig } from '../domain/project.ts';
import { EXIT_GRACE_SECONDS, isBuiltIn, type ToolSettings } from '../domain/tool.ts';

/**
 * How the tool of this name is called; null when no tool is called that. A name is looked for among the tools of the
 * configuration, then among the built-in ones, then among the capabilities, which stand for a tool.
 */
export function toolSettings(name: string, project: Project): ToolSettings | null {
  const config = ownValue(project.tools, name);
  if (config !== undefined) return fromConfig(name, config);
  if (isBuiltIn(name)) return fromConfig(name, {});
  const tool = ownValue(project.capabilities, name);
  return tool === undefined || tool === name ? null : toolSettings(tool, { ...project, capabilities: {} });
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
  };
}

const ownValue = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
