/**
 * Machines with a network of their own: network namespaces, each joined to the first one by a pair of virtual cables. A
 * process in one is started by `ip netns exec`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';

const PREFIX = 'millrace';

/** A namespace, with the address that the first one reaches it by. */
interface Machine {
  /** The command that executes the one that follows it there. */
  within: readonly string[];
  /** Takes it off the network, as by pulling its cable. */
  unplug(): void;
}

export interface Network {
  /** Where the first one is reached by all others. */
  hub: { within: readonly string[]; address: string };
  machines: readonly Machine[];
}

/** Why this machine has none; null where it has. */
export const whyNoNamespaces = ((): string | null => {
  if (process.platform !== 'linux') return 'network namespaces are Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = nameOf('probe');
  try {
    ip('netns', 'add', probe);
    ip('-n', probe, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
    return null;
  } catch (error) {
    return `network namespaces can't be made: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    removeNamespace(probe);
  }
})();

/** Makes so many machines. They are gone when the test ends; what killed tests had left is removed first. */
export function makeNetwork(count: number): Network {
  for (const name of namespaces()) if (isAbandoned(name)) removeNamespace(name);
  const hub = makeNamespace('hub');
  const machines = Array.from({ length: count }, (_, index) => join(hub, index + 1));
  return { hub: { within: within(hub), address: ADDRESS }, machines };
}

/** Of the hub, on every cable: each machine has the next one on its own. */
const ADDRESS = '10.213.0.1';

function join(hub: string, number: number): Machine {
  const name = makeNamespace(`m${number}`);
  const cable = `cable${number}`;
  const address = `10.213.${number}.2`;
  ip('-n', hub, 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('-n', hub, 'address', 'add', `${ADDRESS}/32`, 'dev', cable);
  ip('-n', hub, 'link', 'set', cable, 'up');
  ip('-n', hub, 'route', 'add', address, 'dev', cable);
  ip('-n', name, 'address', 'add', `${address}/32`, 'dev', 'eth0');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
  ip('-n', name, 'route', 'add', ADDRESS, 'dev', 'eth0');
  return { within: within(name), unplug: () => ip('-n', hub, 'link', 'set', cable, 'down') };
}

function makeNamespace(part: string): string {
  const name = nameOf(part);
  ip('netns', 'add', name);
  onTestFinished(() => removeNamespace(name));
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return name;
}

const within = (name: string): string[] => ['ip', 'netns', 'exec', name];

/** The process that made it is in its name. */
function nameOf(part: string): string {
  return `${PREFIX}-${process.pid}-${part}`;
}

const isAbandoned = (name: string): boolean => {
  const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name) ?? [];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
};

const namespaces = (): string[] =>
  ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');

function removeNamespace(name: string): void {
  try {
    ip('netns', 'delete', name);
  } catch {
    // It was not made.
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
