/** The options that a run keeps, so that it can be resumed with the same. */
import type { JsonObject } from '../domain/json.ts';
import { type CoordinatorOptions, type RunOptions, resolveOptions } from './options.ts';

/**
 * Those that say what is run and how. Where it is recorded, what is shown and who is asked belongs to the one who
 * starts it; tools, named agents and gates are read from the configuration again.
 */
const STORED = [
  'agentsCount',
  'maxAgents',
  'workstreams',
  'reports',
  'select',
  'withDependencies',
  'timeoutSeconds',
  'graceSeconds',
  'agentMemoryMb',
  'maxOutputMb',
  'distribution',
  'merge',
  'tool',
  'bestOf',
  'workspace',
  'outsideScope',
  'maxCostUsd',
  'toolCircuit',
] as const satisfies readonly (keyof RunOptions)[];

/** What is kept of the options of a run. */
export function storedOptions(options: RunOptions): JsonObject {
  return Object.fromEntries(STORED.map((name) => [name, options[name]]));
}

/**
 * The options of an earlier run with those that are given now laid over them. What an earlier version did not store,
 * or this one can't use, has its default.
 */
export function laidOver(stored: JsonObject | null, given: CoordinatorOptions): RunOptions {
  const options: Record<string, unknown> = { ...given };
  for (const name of STORED) {
    const value = stored?.[name];
    if (options[name] === undefined && value !== undefined && fits(name, value)) options[name] = value;
  }
  return resolveOptions(options);
}

function fits(name: string, value: unknown): boolean {
  try {
    resolveOptions({ [name]: value });
    return true;
  } catch {
    // A later version may have stored what this one does not know.
    return false;
  }
}
