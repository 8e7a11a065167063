/** How many files a process may have open at once, and how many Millrace needs. Loads fast. */
import { readText } from './read-text.ts';

/** For the command line to load and to start a run: several modules are read at once. */
export const LEAST_FILES = 64;

const WITHOUT_AGENTS = 40;
/** The event loop of its thread, the log and the pipes of what it executes, and the modules that it loads. */
const EACH_AGENT = 8;

/** Null for no limit, or where it is not known. */
export function openFilesLimit(): number | null {
  const [, limit] = /^Max open files +(\d+)/m.exec(readText('/proc/self/limits')) ?? [];
  return limit === undefined ? null : Number(limit);
}

export const filesNeeded = (agents: number): number => WITHOUT_AGENTS + EACH_AGENT * agents;

/** For how many agents so many files are enough; at least 1. */
export const agentsFor = (files: number): number =>
  Math.max(1, Math.floor((files - WITHOUT_AGENTS) / EACH_AGENT));
