import { existsSync, readFileSync } from 'node:fs';

/** The version in the nearest package.json above this file, wherever the build put it. */
export function packageVersion(): string {
  let place = new URL('./package.json', import.meta.url);
  while (!existsSync(place)) {
    const above = new URL('../package.json', place);
    if (above.href === place.href) throw new Error('there is no package.json above Millrace');
    place = above;
  }
  const manifest: { version: string } = JSON.parse(readFileSync(place, 'utf8'));
  return manifest.version;
}
