/** A tool is the command line of a coding agent; this is what a run knows of it before and after it has worked. */
import { z } from 'zod';

/** The tools that Millrace knows how to call and how to judge. */
export const BUILT_IN_TOOLS = ['claude', 'codex', 'gemini', 'opencode', 'aider'] as const;
export type BuiltInTool = (typeof BUILT_IN_TOOLS)[number];

/** When the exit code of a program from the configuration means that it did its work. */
export interface ToolSuccess {
  /** Exit codes that count as success. Default: 0. */
  exitCodes: number[];
  /** Regular expression that its output must match; null for any output. */
  outputMatches: string | null;
  /** Regular expression that its output must not match; null for none. */
  outputExcludes: string | null;
}

/** How one tool is called. */
export interface ToolSettings {
  /** As steps name it. */
  name: string;
  /** Who builds its command and judges its outcome. */
  adapter: BuiltInTool | 'custom';
  /** Program and arguments; for a built-in tool only the program, which may be a path. */
  command: [string, ...string[]];
  /** Arguments added by the configuration. */
  args: string[];
  /** Environment variables added by the configuration. */
  env: Record<string, string>;
  /** The model to ask for; null for the tool's own default. */
  model: string | null;
  /** How a program from the configuration gets its prompt; built-in tools have their own way. */
  prompt: 'stdin' | 'file' | 'argument';
  success: ToolSuccess;
}

const count = z.number().int().nonnegative().nullable();

/** What is known of the tokens that a tool used; null where it doesn't say. */
const tokensSchema = z.object({
  input: count,
  output: count,
  /** Of the input, read from a cache. */
  cacheRead: count,
  /** Of the input, written to a cache. */
  cacheWrite: count,
  /** Of the output, spent on reasoning. */
  reasoning: count,
});
export type Tokens = z.infer<typeof tokensSchema>;

/** What a tool said about its own work, and what was measured. Null means that it can't be known. */
export const toolReportSchema = z.object({
  tool: z.string(),
  /** What `--version` printed. */
  version: z.string().nullable(),
  model: z.string().nullable(),
  sessionId: z.string().nullable(),
  /** Its last message, at most 20,000 characters. */
  text: z.string(),
  tokens: tokensSchema,
  costUsd: z.number().nonnegative().nullable(),
  turns: count,
  toolCalls: count,
  /** Wall time of the program. */
  durationSeconds: z.number().nonnegative(),
});
export type ToolReport = z.infer<typeof toolReportSchema>;

export const NO_TOKENS: Tokens = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite: null,
  reasoning: null,
};
