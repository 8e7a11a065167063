import type { ToolSettings } from '../../src/domain/tool.ts';
import type { ToolAdapter } from './tool.ts';

/** How each adapter is loaded: a thread loads one when the first step needs it. */
const LOADERS: Record<ToolSettings['adapter'], () => Promise<ToolAdapter>> = {
  aider: async () => (await import('./aider.ts')).aider,
  claude: async () => (await import('./claude.ts')).claude,
  codex: async () => (await import('./codex.ts')).codex,
  custom: async () => (await import('./custom.ts')).custom,
  gemini: async () => (await import('./gemini.ts')).gemini,
  opencode: async () => (await import('./opencode.ts')).opencode,
};

export function loadAdapter(name: ToolSettings['adapter']): Promise<ToolAdapter> {
  return LOADERS[name]();
}
