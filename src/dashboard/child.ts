/** Processes of the dashboard beside its own. Loads nothing. */
import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The command itself, from wherever the build put this code, and where it runs as TypeScript. */
export function program(): string {
  const places = ['bin.js', '../bin.js', '../../dist/src/bin.js'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return found.find((path) => existsSync(path)) ?? 'millrace';
}

/** Lets a process run when a run needs less. */
export function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, which is told.
  }
}
