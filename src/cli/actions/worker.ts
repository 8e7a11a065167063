import { runWorker } from '../../app/queue/worker.ts';
import type { WorkerArguments } from '../commands/worker.ts';
import { durationOf } from '../options.ts';
import { queueUrl } from '../queue-options.ts';
import { UsageError } from '../usage-error.ts';

/** Lends agents until a signal ends it. @throws UsageError, Refusal */
export async function worker(argv: WorkerArguments): Promise<number> {
  const { agents, agentMemory = null, provides = '' } = argv;
  if (!(Number.isSafeInteger(agents) && agents >= 1 && agents <= MOST_AGENTS))
    throw new UsageError(`--agents must be a whole number from 1 to ${MOST_AGENTS}.`);
  if (agentMemory !== null && !(agentMemory > 0)) throw new UsageError('--agent-memory must be more than 0.');
  const leaseSeconds = durationOf('--lease-seconds', argv.leaseSeconds);
  if (leaseSeconds < LEAST_LEASE) throw new UsageError(`--lease-seconds must be at least ${LEAST_LEASE}.`);
  return runWorker({
    queue: queueUrl(argv.queue),
    keyFile: argv.queueKeyFile ?? null,
    caFile: argv.queueCa ?? null,
    agents,
    agentMemoryMb: agentMemory,
    provides: [...new Set(provides.split(',').map((label) => label.trim()))].filter((label) => label !== ''),
    name: argv.name ?? null,
    drainSeconds: durationOf('--drain-seconds', argv.drainSeconds),
    leaseSeconds,
    state: argv.state,
    logLevel: argv.logLevel,
    logFormat: argv.logFormat,
  });
}

const MOST_AGENTS = 1_000;
/** Of a lease, in seconds: a shorter one ends while a busy machine does something else. */
const LEAST_LEASE = 1;
