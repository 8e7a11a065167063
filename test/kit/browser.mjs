/** The browser of this machine, for tests, measurements and screenshots. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a chromium on PATH; null for none. */
export function browserPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find(isExecutable) ?? null;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // It is missing, or another user's.
    return false;
  }
}

/** Starts it. @param {string[]} more arguments. @throws where there is none */
export function launchBrowser(more = []) {
  const path = browserPath();
  if (path === null)
    throw new Error('there is no chromium on PATH: install it, with apt-get install chromium');
  return chromium.launch({
    executablePath: path,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}
