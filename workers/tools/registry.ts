import type { ToolSettings } from '../../src/domain/tool.ts';
import type { ToolAdapter } from './tool.ts';

type AdapterName = ToolSettings['adapter'];

/** How each adapter is loaded: a thread loads one when the first step needs it. */
const LOADERS: Partial<Record<AdapterName, () => Promise<ToolAdapter>>> = {
  claude: async () => (await import('./claude.ts')).claude,
  codex: async () => (await import('./codex.ts')).codex,
  custom: async () => (await import('./custom.ts')).custom,
};

/** The adapter of that name. @throws Error where there is none, which is a bug. */
export async function loadAdapter(name: AdapterName): Promise<ToolAdapter> {
  const load = LOADERS[name];
  if (load === undefined) throw new Error(`there is no adapter for ${name}`);
  return load();
}
