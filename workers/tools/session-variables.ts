/** Variables by which a coding agent describes its own session to the programs that it starts. */

/**
 * Variables of the session that Millrace was started in. A tool is a session of its own: Claude Code does
 * not start, or hangs, or keeps no transcript where it takes itself for a part of another one, connects to the other
 * one's editor, or writes into its folders. Variables that configure a tool or log it in are not among them, nor those
 * that describe the machine, such as `SANDBOX`. Names that end with `_` are prefixes.
 */
const OF_A_SESSION = [
  'AI_AGENT',
  'CLAUDECODE',
  'CLAUDE_AGENT_SDK_CLIENT_APP',
  'CLAUDE_AGENT_SDK_VERSION',
  'CLAUDE_BG_',
  'CLAUDE_BRIDGE_',
  'CLAUDE_CODE_BRIDGE_',
  'CLAUDE_CODE_CHILD_',
  'CLAUDE_CODE_ENTRYPOINT',
  'CLAUDE_CODE_EXECPATH',
  'CLAUDE_CODE_HOST_SESSION_',
  'CLAUDE_CODE_INVOKED_SKILLS',
  'CLAUDE_CODE_LAUNCHED_BY_',
  'CLAUDE_CODE_MESSAGING_',
  'CLAUDE_CODE_REMOTE_SESSION_',
  'CLAUDE_CODE_SDK_',
  'CLAUDE_CODE_SESSION_',
  'CLAUDE_CODE_SSE_PORT',
  'CLAUDE_CODE_TMUX_',
  'CLAUDE_CODE_WORKER_EPOCH',
  'CLAUDE_EFFORT',
  'CLAUDE_ENV_FILE',
  'CLAUDE_JOB_DIR',
  'CLAUDE_PID',
  'CLAUDE_PLUGIN_',
  'CLAUDE_PROJECT_DIR',
  'CODEX_CI',
  'CODEX_INTERNAL_ORIGINATOR_OVERRIDE',
  'CODEX_MANAGED_',
  // On macOS it describes the machine: the process can't ask the system for its proxies.
  ...(process.platform === 'darwin' ? [] : ['CODEX_SANDBOX']),
  'CODEX_SANDBOX_NETWORK_DISABLED',
  'CODEX_SESSION_ID',
  'CODEX_THREAD_ID',
  'CODEX_TOOL_CALL_ID',
  'CURSOR_AGENT',
  'CURSOR_TRACE_ID',
  'GEMINI_CLI',
  'GEMINI_CLI_IDE_',
  'GEMINI_PROJECT_DIR',
  'GEMINI_SESSION_ID',
  'OPENCODE',
  'OPENCODE_CLIENT',
  'OPENCODE_PID',
  'OPENCODE_PROCESS_ROLE',
  'OPENCODE_RUN_ID',
  'OPENCODE_SESSION_ID',
  'OPENCODE_WORKSPACE_ID',
];

/** Variables that users set as well. They belong to a session only where the one named first is set. */
const OF_A_SESSION_WITH: ReadonlyMap<string, readonly string[]> = new Map([
  ['GEMINI_CLI', ['GEMINI_CLI_NO_RELAUNCH']],
  ['OPENCODE_PID', ['AGENT', 'OPENCODE_SERVER_PASSWORD', 'OPENCODE_SERVER_USERNAME']],
]);

/** The names of those in `environment` that a tool must not inherit. */
export function sessionVariables(environment: NodeJS.ProcessEnv): string[] {
  const always = Object.keys(environment).filter((name) => OF_A_SESSION.some((part) => stands(part, name)));
  const then = [...OF_A_SESSION_WITH].flatMap(([sign, names]) =>
    environment[sign] === undefined ? [] : names.filter((name) => environment[name] !== undefined),
  );
  return [...always, ...then];
}

const stands = (part: string, name: string): boolean =>
  part.endsWith('_') ? name.startsWith(part) : name === part;
