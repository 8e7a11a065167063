import { expect, test } from 'vitest';
import { sessionVariables } from '../../../workers/tools/session-variables.ts';

const of = (...names: string[]): string[] =>
  sessionVariables(Object.fromEntries(names.map((name) => [name, '1'])));

test.each([
  [
    'Claude Code',
    ['CLAUDECODE', 'CLAUDE_CODE_CHILD_SESSION', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SESSION_ACCESS_TOKEN'],
    [
      'CLAUDE_CODE_SESSION_ID',
      'CLAUDE_CODE_SSE_PORT',
      'CLAUDE_CODE_MESSAGING_SOCKET',
      'CLAUDE_PID',
      'AI_AGENT',
    ],
  ],
  ['Codex', ['CODEX_SANDBOX_NETWORK_DISABLED', 'CODEX_THREAD_ID', 'CODEX_MANAGED_BY_NPM'], []],
  ['Cursor', ['CURSOR_AGENT', 'CURSOR_TRACE_ID'], []],
  ['Gemini CLI', ['GEMINI_CLI', 'GEMINI_CLI_IDE_SERVER_PORT', 'GEMINI_CLI_NO_RELAUNCH'], []],
  ['OpenCode', ['OPENCODE', 'OPENCODE_PID', 'OPENCODE_RUN_ID', 'AGENT', 'OPENCODE_SERVER_PASSWORD'], []],
])('those of a session of %s', (_, some, others) => {
  const all = [...some, ...others];
  expect(of(...all).toSorted()).toEqual(all.toSorted());
});

test.each([
  [
    'CLAUDE_CONFIG_DIR',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  ],
  ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', 'AWS_PROFILE', 'SANDBOX', 'IS_SANDBOX'],
  ['CURSOR_API_KEY', 'CURSOR_CONFIG_DIR'],
  ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_API_KEY', 'CODEX_CA_CERTIFICATE'],
  ['GEMINI_API_KEY', 'GEMINI_CLI_HOME', 'GEMINI_CLI_SYSTEM_SETTINGS_PATH', 'GOOGLE_CLOUD_PROJECT'],
  ['OPENCODE_CONFIG', 'OPENCODE_API_KEY', 'OPENCODE_PERMISSION', 'PATH', 'HOME'],
])('none of those that configure a tool, log it in or tell of the machine: %s, …', (...names) => {
  expect(of(...names)).toEqual([]);
});

test('what a user may set as well is of a session only where another one is that nobody else sets', () => {
  expect(of('AGENT', 'OPENCODE_SERVER_PASSWORD', 'GEMINI_CLI_NO_RELAUNCH')).toEqual([]);
});
