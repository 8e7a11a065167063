/** How many files a process may have open at once, and how many Millrace needs. Imports nothing that takes time to load. */
import { readText } from './read-text.ts';

/** What the command line needs to load and to start a run, some modules being read at once. */
export const LEAST_FILES = 64;

const WITHOUT_AGENTS = 40;
/** The event loop of its thread, the log and the ties of what it executes, and what it loads. */
const EACH_AGENT = 8;

/** Null where it is not told or there is no limit. */
export function openFilesLimit(): number | null {
  const [, limit] = /^Max open files +(\d+)/m.exec(readText('/proc/self/limits')) ?? [];
  return limit === undefined ? null : Number(limit);
}

export const filesNeeded = (agents: number): number => WITHOUT_AGENTS + EACH_AGENT * agents;

/** How many agents so many files are enough for; at least one. */
export const agentsFor = (files: number): number =>
  Math.max(1, Math.floor((files - WITHOUT_AGENTS) / EACH_AGENT));
