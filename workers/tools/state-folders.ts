/** Where coding agents keep logins, sessions and settings, so that each can be given its own and none of the others'. */
import { join } from 'node:path';
import { BUILT_IN_TOOLS, type BuiltInTool } from '../../src/domain/tool.ts';

/** A part of a tool's state that makes later sessions run commands: hooks, settings, plugins. */
interface GuardedState {
  path: string;
  /** What a tool takes for nothing: the text of a file, or null for a folder. */
  empty: string | null;
}

/** Absolute paths, of which some may not be there. */
export interface ToolState {
  /** What the tool writes. */
  own: string[];
  /** Parts of that which it reads only. */
  guarded: GuardedState[];
  /** Files that it has to write, and that hold commands too: it writes a copy, which is not kept. */
  copied: string[];
  /** Folders with programs that it can fetch again: what it adds there is not kept. */
  caches: string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

const STATE: Record<BuiltInTool, (home: string, env: Variables) => ToolState> = {
  claude: (home, env) => {
    const given = env['CLAUDE_CONFIG_DIR'];
    const folder = given ?? join(home, '.claude');
    const folders = ['hooks', 'commands', 'agents', 'skills', 'plugins', 'rules', 'output-styles', 'local'];
    return {
      own: [folder],
      guarded: [
        ...foldersIn(folder, folders),
        ...filesIn(folder, ['settings.json', 'settings.local.json'], '{}\n'),
        ...filesIn(folder, ['CLAUDE.md'], ''),
      ],
      copied: [join(given ?? home, '.claude.json')],
      caches: [],
    };
  },
  codex: (home, env) => {
    const folder = env['CODEX_HOME'] ?? join(home, '.codex');
    return {
      own: [folder],
      guarded: [
        ...foldersIn(folder, ['rules', 'skills', 'plugins', 'prompts']),
        ...filesIn(folder, ['hooks.json'], '{}\n'),
        ...filesIn(folder, ['config.toml', '.env', 'AGENTS.md'], ''),
      ],
      copied: [],
      caches: [],
    };
  },
  gemini: (home, env) => {
    const folder = join(env['GEMINI_CLI_HOME'] ?? home, '.gemini');
    return {
      own: [folder],
      guarded: [
        ...foldersIn(folder, ['extensions', 'hooks', 'commands', 'policies', 'skills', 'agents']),
        ...filesIn(folder, ['settings.json', 'trustedFolders.json'], '{}\n'),
        ...filesIn(folder, ['.env', 'GEMINI.md'], ''),
      ],
      copied: [],
      caches: [],
    };
  },
  opencode: (home, env) => {
    const data = join(env['XDG_DATA_HOME'] ?? join(home, '.local/share'), 'opencode');
    const state = join(env['XDG_STATE_HOME'] ?? join(home, '.local/state'), 'opencode');
    const cache = join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'opencode');
    // Its settings are elsewhere, in ~/.config, which stays read-only.
    return { own: [data, state], guarded: foldersIn(data, ['bin']), copied: [], caches: [cache] };
  },
  aider: (home) => {
    const folder = join(home, '.aider');
    return { own: [folder], guarded: filesIn(folder, ['oauth-keys.env'], ''), copied: [], caches: [] };
  },
};

const foldersIn = (folder: string, names: readonly string[]): GuardedState[] =>
  names.map((name) => ({ path: join(folder, name), empty: null }));

const filesIn = (folder: string, names: readonly string[], empty: string): GuardedState[] =>
  names.map((name) => ({ path: join(folder, name), empty }));

export const stateOf = (tool: BuiltInTool, home: string, env: Variables): ToolState => STATE[tool](home, env);

/** The state of all of them, for what is none of them. */
export const allStates = (home: string, env: Variables): string[] =>
  BUILT_IN_TOOLS.flatMap((tool) => {
    const { own, copied, caches } = stateOf(tool, home, env);
    return [...own, ...copied, ...caches];
  });
