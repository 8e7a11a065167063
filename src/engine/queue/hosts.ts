/** Who is there: what hosts say of themselves. */
import type { Redis } from 'ioredis';
import { type HostState, hostStateSchema, KEYS, PROTOCOL, SEALED_FOR } from './protocol.ts';
import { BrokenSeal, type QueueKey } from './sealing.ts';

export interface HostsSeen {
  /** By name. */
  hosts: HostState[];
  /** Names of hosts that have another key, or say what this version can't read. */
  strangers: string[];
  /** Hosts of versions with another protocol. */
  others: { host: string; protocol: number }[];
}

const KEY = /^millrace:v(\d{1,9}):host:([\w.-]{1,100})$/;
const AT_ONCE = 1_000;

/** Takes time in proportion to the number of keys in Redis. */
export async function readHosts(redis: Redis, key: QueueKey): Promise<HostsSeen> {
  const seen: HostsSeen = { hosts: [], strangers: [], others: [] };
  for (const name of await hostKeys(redis)) {
    const [, protocol, host] = KEY.exec(name) ?? [];
    if (protocol === undefined || host === undefined) continue;
    if (Number(protocol) !== PROTOCOL) {
      seen.others.push({ host, protocol: Number(protocol) });
      continue;
    }
    const sealed = await redis.get(KEYS.host(host));
    // Its time was over since.
    if (sealed === null) continue;
    const state = opened(sealed, host, key);
    if (state === null) seen.strangers.push(host);
    else seen.hosts.push(state);
  }
  seen.hosts.sort((one, other) => (one.host < other.host ? -1 : 1));
  return seen;
}

async function hostKeys(redis: Redis): Promise<Set<string>> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', KEYS.allHosts, 'COUNT', AT_ONCE);
    for (const name of names) found.add(name);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

function opened(sealed: string, host: string, key: QueueKey): HostState | null {
  try {
    const text = key.open(SEALED_FOR.heartbeat(host), Buffer.from(sealed, 'base64')).toString();
    const state = hostStateSchema.safeParse(JSON.parse(text));
    return state.success && state.data.host === host ? state.data : null;
  } catch (error) {
    if (error instanceof BrokenSeal || error instanceof SyntaxError) return null;
    throw error;
  }
}
