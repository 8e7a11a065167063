/** The interface of every tool: a command to build, a stream to read, an outcome to judge. */
import type { Failure } from '../../src/domain/failure.ts';
import type { ToolReport, ToolSettings, UsageLimit } from '../../src/domain/tool.ts';

/** The task of a tool. */
export interface ToolRequest {
  settings: ToolSettings;
  prompt: string;
  /** Absolute path of a file that holds the prompt. */
  promptFile: string;
  /** Absolute folder to work in. */
  folder: string;
  /** Absolute folder, not in the workspace, for files of the tool's own: histories, last messages. */
  scratch: string;
  /** A fresh UUID for tools that let the caller choose. */
  sessionId: string;
  /** The session to go on with, as `ToolFindings.sessionId` named it; null for a new one. */
  resume: string | null;
  /** US dollars that it may spend; null for no limit. Passed on only to tools that have such a limit. */
  budgetUsd: number | null;
  /** The paths and globs that it may change; for tools that need to know which files to edit. */
  scope: readonly string[];
}

/** How a tool's program is started. No text in it passes through a shell. */
export interface ToolCommand {
  file: string;
  args: string[];
  env: Record<string, string>;
  /** What is written to its standard input, which is then ended. */
  stdin: string;
}

/** How the program ended, after the reader has had all of its standard output. */
export interface ToolEnd {
  exitCode: number | null;
  signal: string | null;
  /** The last of what it printed, both streams together. */
  tail: string;
  /** Path of the whole output. */
  log: string;
}

/** Reads what one program prints, line by line, and remembers what matters. */
export interface ToolReader {
  /** Takes one line of standard output without its end. Never throws; ignores what it does not understand. */
  line(text: string): void;
  /** What the tool is doing now, for live progress; null for nothing new. */
  activity(): string | null;
  /**
   * Whether it has reported how its work ended and has nothing more to do, so that it should exit. It may begin again: a
   * background task that ended wakes some.
   */
  concluded(): boolean;
  /** What it has reported about its work. */
  report(): ToolFindings;
  /** Why it failed, or why its success is none; null for real success. */
  judge(end: ToolEnd): Failure | null;
  /** The usage limit that made it fail; null for none. Asked where `judge` returned this failure. */
  limit(failure: Failure, end: ToolEnd): UsageLimit | null;
  /** Whether it could not go on with the session that it was asked to continue, and has done nothing. */
  lostSession(end: ToolEnd): boolean;
}

/** What a reader found; the rest of a `ToolReport` is measured. */
export type ToolFindings = Omit<ToolReport, 'tool' | 'version' | 'durationSeconds' | 'limit'>;

/** One coding agent. */
export interface ToolAdapter {
  /** Arguments that make it print its version; null where there are none. */
  readonly versionArguments: readonly string[] | null;
  /** Whether it can go on with a session. */
  readonly resumes: boolean;
  /** Why a version is known not to work; null where it may be used. `version` is what it printed. */
  refuses(version: string): string | null;
  command(request: ToolRequest): ToolCommand;
  reader(request: ToolRequest): ToolReader;
}
