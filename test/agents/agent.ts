/** Runs a real coding agent as its adapter says, and gives the adapter's reader what it prints. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Failure } from '../../src/domain/failure.ts';
import type { BuiltInTool, ToolSettings, UsageLimit } from '../../src/domain/tool.ts';
import { signalGroup } from '../../src/os/process-group.ts';
import type { ToolAdapter, ToolEnd, ToolFindings } from '../../workers/tools/tool.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Empty folders for one run of an agent. */
export interface Folders {
  /** Holds the others. */
  root: string;
  work: string;
  /** Its home, where nobody is logged in and nothing is configured. */
  home: string;
  scratch: string;
}

export interface Task {
  adapter: ToolAdapter;
  settings: ToolSettings;
  folders: Folders;
  budgetUsd?: number;
  /** The session to go on with. Default: none. */
  resume?: string;
}

export interface Ended {
  end: ToolEnd;
  /** Its standard output. */
  lines: string[];
  stderr: string;
  /** What it was doing, each once. */
  activities: string[];
  findings: ToolFindings;
  failure: Failure | null;
  /** The usage limit that made it fail. */
  limit: UsageLimit | null;
  lostSession: boolean;
}

export interface StartedAgent {
  /** Signals its process group. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has printed a line that holds this text. */
  printed(text: string): Promise<void>;
  ended: Promise<Ended>;
}

export function agentFolders(): Folders {
  const root = temporaryFolder();
  const folders = {
    root,
    work: join(root, 'work'),
    home: join(root, 'home'),
    scratch: join(root, 'scratch'),
  };
  for (const folder of [folders.work, folders.home, folders.scratch]) mkdirSync(folder);
  return folders;
}

/** The settings of a built-in tool; `env` is all of its environment but for PATH. */
export function settingsOf(
  tool: BuiltInTool,
  program: string,
  env: Record<string, string>,
  args: string[] = [],
): ToolSettings {
  return {
    name: tool,
    adapter: tool,
    command: [program],
    args,
    env,
    model: null,
    prompt: 'stdin',
    success: { exitCodes: [0], outputMatches: null, outputExcludes: null },
    exitGraceSeconds: 10,
    account: tool,
    fallback: [],
    limits: [],
    maxCostUsd: null,
    startsPerMinute: null,
    sandbox: null,
    network: null,
  };
}

/** Starts the program in a process group of its own and ends its standard input. */
export function startAgent({ adapter, settings, folders, budgetUsd, resume }: Task): StartedAgent {
  const prompt = 'Do what the test is for.';
  const promptFile = join(folders.scratch, 'prompt.txt');
  writeFileSync(promptFile, prompt);
  const request = {
    settings,
    prompt,
    promptFile,
    folder: folders.work,
    scratch: folders.scratch,
    sessionId: '11111111-2222-4333-8444-555555555555',
    resume: resume ?? null,
    budgetUsd: budgetUsd ?? null,
    scope: [],
  };
  const command = adapter.command(request);
  const reader = adapter.reader(request);
  const child = spawn(command.file, command.args, {
    cwd: folders.work,
    env: { PATH: process.env['PATH'], ...command.env },
    detached: true,
    stdio: 'pipe',
  });
  const lines: string[] = [];
  const activities: string[] = [];
  let tail = '';
  let stderr = '';
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const check of waiting) check();
    reader.line(line);
    const activity = reader.activity();
    if (activity !== null) activities.push(activity);
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (tail = (tail + text.toString()).slice(-4000)));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      const end = { exitCode, signal, tail, log: join(folders.scratch, 'output.log') };
      const failure = reader.judge(end);
      const limit = failure === null ? null : reader.limit(failure, end);
      const lostSession = reader.lostSession(end);
      resolve({ end, lines, stderr, activities, findings: reader.report(), failure, limit, lostSession });
    });
  });
  // A program may end before it has read its prompt; how it ended says more than the broken pipe.
  child.stdin.on('error', () => undefined).end(command.stdin);
  return {
    signal: (name) => {
      if (child.pid !== undefined) signalGroup(child.pid, name);
    },
    printed: (text) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (lines.some((line) => line.includes(text))) resolve();
        };
        waiting.push(check);
        check();
      }),
    ended,
  };
}
