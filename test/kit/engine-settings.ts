import { NO_SECRETS } from './no-secrets.ts';

/** Settings of an engine that limits no memory, has no secrets and tells nobody what comes late. */
export const engineSettings = (cacheFolder: string) => ({
  project: process.cwd(),
  memoryMb: null,
  logLevel: 'info',
  cacheFolder,
  redactor: NO_SECRETS,
  onLate: () => undefined,
});
