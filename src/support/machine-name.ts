import { hostname } from 'node:os';
import { usableCores } from './usable-cores.ts';

/**
 * What a configuration calls this machine: `MILLRACE_MACHINE`, or else its host name and the cores that this process
 * may use, so that a setting does not outlive them.
 */
export function machineName(env: NodeJS.ProcessEnv = process.env, cores = usableCores()): string {
  const given = env['MILLRACE_MACHINE'];
  if (given !== undefined && given !== '') return given;
  const count = Math.round(cores * 100) / 100;
  return `${hostname()}, ${count} ${count === 1 ? 'core' : 'cores'}`;
}
