/** The real coding agents, installed outside the project's dependencies the first time that they are asked for. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/text/error-message.ts';

/** Package and version of each, as the recordings were made with. */
const PACKAGES = {
  claude: '@anthropic-ai/claude-code@2.1.330',
  codex: '@openai/codex@0.169.0',
  gemini: '@google/gemini-cli@0.61.0',
  opencode: 'opencode-ai@1.18.33',
} as const;

/**
 * Why a program can't be run here, as a sentence for whoever runs the tests; null where it can. Programs that are not there
 * are installed, so that this needs a registry the first time.
 */
export function whyMissing(name: keyof typeof PACKAGES): string | null {
  try {
    program(name);
    return null;
  } catch (error) {
    const why = `${name} is not there and could not be installed, so that its tests are skipped: ${messageOf(error)}`;
    process.stderr.write(`${why}\n`);
    return why;
  }
}

/** Absolute path of a program. Kept in `MILLRACE_AGENTS_FOLDER`, or in a folder of the system's temporary one. */
export function program(name: keyof typeof PACKAGES): string {
  const folder = join(process.env['MILLRACE_AGENTS_FOLDER'] ?? join(tmpdir(), 'millrace-agents'), name);
  const file = join(folder, 'node_modules', '.bin', name);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    execFileSync(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, PACKAGES[name]],
      {
        stdio: 'inherit',
      },
    );
  }
  return file;
}
