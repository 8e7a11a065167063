#!/usr/bin/env node
/**
 * Looks at the version of Node before anything is loaded that an old one can't read. So this file has no static import
 * and no syntax that is newer than the first Node that reads modules; `./start.ts` is the command.
 */
const LEAST = [20, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) {
  void import('./start.ts');
} else {
  process.stderr.write(
    `millrace: Millrace needs Node ${LEAST.join('.')} or newer, and this is ${process.versions.node} (${process.execPath}). Nothing was run.\n`,
  );
  process.exitCode = 2;
}
