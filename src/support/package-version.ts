import { readFileSync } from 'node:fs';

/** The version in package.json, wherever this file runs from. */
export function packageVersion(): string {
  const place = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json';
  const manifest: { version: string } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
  return manifest.version;
}
