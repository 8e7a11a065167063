/** Where coding agents keep logins, sessions and settings, so that each can be given its own and none of the others'. */
import { join } from 'node:path';
import { BUILT_IN_TOOLS, type BuiltInTool } from '../../src/domain/tool.ts';

/** Absolute paths, of which some may not be there. */
export interface ToolState {
  /** What the tool writes. */
  own: string[];
  /** Parts of it that make later sessions run commands: hooks, settings, plugins. */
  guarded: string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

const STATE: Record<BuiltInTool, (home: string, env: Variables) => ToolState> = {
  claude: (home, env) => {
    const folder = env['CLAUDE_CONFIG_DIR'] ?? join(home, '.claude');
    const guarded = ['settings.json', 'hooks', 'commands', 'agents', 'skills', 'plugins', 'CLAUDE.md'];
    return { own: [folder, join(home, '.claude.json')], guarded: within(folder, guarded) };
  },
  codex: (home, env) => {
    const folder = env['CODEX_HOME'] ?? join(home, '.codex');
    const guarded = ['config.toml', 'hooks.json', 'rules', 'skills', 'plugins', 'prompts', 'AGENTS.md'];
    return { own: [folder], guarded: within(folder, guarded) };
  },
  gemini: (home, env) => {
    const folder = join(env['GEMINI_CLI_HOME'] ?? home, '.gemini');
    const guarded = ['settings.json', 'extensions', 'hooks', 'commands', 'policies', 'GEMINI.md'];
    return { own: [folder], guarded: within(folder, guarded) };
  },
  opencode: (home, env) => {
    const data = join(env['XDG_DATA_HOME'] ?? join(home, '.local/share'), 'opencode');
    const state = join(env['XDG_STATE_HOME'] ?? join(home, '.local/state'), 'opencode');
    const cache = join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'opencode');
    // Its settings are elsewhere, in ~/.config, which stays read-only.
    return { own: [data, state, cache], guarded: within(data, ['bin']) };
  },
  aider: (home) => ({ own: [join(home, '.aider')], guarded: [] }),
};

const within = (folder: string, names: readonly string[]): string[] =>
  names.map((name) => join(folder, name));

export const stateOf = (tool: BuiltInTool, home: string, env: Variables): ToolState => STATE[tool](home, env);

/** The state of all of them, for what is none of them. */
export const allStates = (home: string, env: Variables): string[] =>
  BUILT_IN_TOOLS.flatMap((tool) => stateOf(tool, home, env).own);
