/** A tool is the command line of a coding agent; this is what a run knows of it before and after it has worked. */
import type { Failure, Reason } from './failure.ts';
import type { Containing } from './policy/sandbox.ts';
import type { LimitClass, Tokens } from './tool-report.ts';

export type { LimitClass, Tokens, ToolReport, UsageLimit } from './tool-report.ts';

/** The tools that Millrace knows how to call and how to judge. */
export const BUILT_IN_TOOLS = ['claude', 'codex', 'gemini', 'opencode', 'aider'] as const;
export type BuiltInTool = (typeof BUILT_IN_TOOLS)[number];

const builtIn: ReadonlySet<string> = new Set(BUILT_IN_TOOLS);
export const isBuiltIn = (name: string): name is BuiltInTool => builtIn.has(name);

/** When the exit code of a program from the configuration means that it did its work. */
interface ToolSuccess {
  /** Exit codes that count as success. Default: 0. */
  exitCodes: number[];
  /** Regular expression that its output must match; null for any output. */
  outputMatches: string | null;
  /** Regular expression that its output must not match; null for none. */
  outputExcludes: string | null;
}

/** A rule of success as it is matched: `^` and `$` at the ends of lines. @throws SyntaxError where it is none */
export const successPattern = (expression: string): RegExp => new RegExp(expression, 'm');

/** How a program from the configuration says that it met a usage limit. */
interface LimitRule {
  /** Regular expression of a line. What its group `resets` matches is read as the time at which the limit passes. */
  outputMatches: string;
  class: LimitClass;
}

/** How one tool is called. */
export interface ToolSettings extends Containing {
  /** As steps name it. */
  name: string;
  /** Who builds its command and judges its outcome. */
  adapter: BuiltInTool | 'custom';
  /** Program and arguments; for a built-in tool the program, which may be a path, and what comes before its own. */
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
  /** How long it may take to exit after it has said how its work went. */
  exitGraceSeconds: number;
  /** Whose usage limits it has: the tools of one account wait together. */
  account: string;
  /** Names of the tools that take its place while it waits, under `--at-limit switch`, the best first. */
  fallback: string[];
  /** For a program from the configuration; the others have their own ways. */
  limits: LimitRule[];
  /** US dollars that it may cost in one run; null for no limit. */
  maxCostUsd: number | null;
  /** How often it may be started in a minute; null for any number. */
  startsPerMinute: number | null;
}

/** Hooks that run at the end of a session take seconds; connections that nothing closes take for ever. */
export const EXIT_GRACE_SECONDS = 10;

export const NO_TOKENS: Tokens = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite: null,
  reasoning: null,
};

/** Whether a tool that says it is done was kept from something, so that only a look at its work tells whether it is. */
export const isDenial = (failure: Failure | null): boolean =>
  failure !== null && (failure.reason === 'permission-denied' || failure.reason === 'read-only');

/** The reasons of tools that ended as if they had succeeded. */
export const FALSE_SUCCESSES: readonly Reason[] = [
  'permission-denied',
  'read-only',
  'no-model-answer',
  'tool-interrupted',
  'no-changes',
  'conflict-markers',
];
