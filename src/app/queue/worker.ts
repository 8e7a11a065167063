/** A worker from its start to its end: what it logs, and what signals mean to it. */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { LevelWithSilent } from 'pino';
import { QueueAddressProblem } from '../../engine/queue/connection.ts';
import { Host, type HostEvent } from '../../engine/queue/host/host.ts';
import { HostFolderProblem } from '../../engine/queue/host/host-folder.ts';
import { LABEL } from '../../engine/queue/protocol.ts';
import { QueueKeyProblem, readQueueKey } from '../../engine/queue/sealing.ts';
import { listenForSignals } from '../../os/end-signals.ts';
import { packageVersion } from '../../os/package-version.ts';
import type { LogFields } from '../../progress/log-schema.ts';
import { RunLog } from '../../progress/logs.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { makeStateFolder } from '../paths.ts';
import { Refusal } from '../refusal.ts';

export interface WorkerOptions {
  /** URL of Redis. */
  queue: string;
  /** Path of the key file; null for the variable. */
  keyFile: string | null;
  /** Path of certificates that the server may be signed by; null for the system's. */
  caFile: string | null;
  agents: number;
  agentMemoryMb: number | null;
  provides: readonly string[];
  /** Null for the name of the machine. */
  name: string | null;
  /** How long it may have something in hand after SIGTERM, in seconds. */
  drainSeconds: number;
  leaseSeconds: number;
  /** Folder for its files. */
  state: string;
  logLevel: LevelWithSilent;
  logFormat: 'json' | 'text';
}

const NAME = /^[\w.-]{1,100}$/;

/**
 * Lends agents to runs until a signal ends it. Resolves with the exit code: 0, also after a signal.
 * @throws Refusal for what can't be used.
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const name = options.name ?? nameOfMachine();
  checkNames(name, options.provides);
  makeStateFolder(resolve(options.state));
  const log = new RunLog({ level: options.logLevel, descriptor: 1, file: null, format: options.logFormat });
  const write = (event: HostEvent): void => {
    const { level, text, fields, runId } = lineOf(event, name, options);
    log.logger[level]({ ...(runId === null ? {} : { run_id: runId }), ...fields }, text);
  };
  const signals = new Signals();
  try {
    const host = await startHost(options, name, write);
    await Promise.race([signals.ask, signals.insist]);
    await Promise.race([host.drain(), signals.insist, after(options.drainSeconds)]);
    await host.close();
  } finally {
    signals.close();
    await log.close();
  }
  return 0;
}

async function startHost(
  options: WorkerOptions,
  name: string,
  onEvent: (event: HostEvent) => void,
): Promise<Host> {
  try {
    return await Host.start({
      address: { url: options.queue, caFile: options.caFile },
      key: readQueueKey(options.keyFile),
      name,
      agents: options.agents,
      agentMemoryMb: options.agentMemoryMb,
      provides: options.provides,
      leaseMs: options.leaseSeconds * 1000,
      folder: join(resolve(options.state), `worker-${name}`),
      version: packageVersion(),
      onEvent,
    });
  } catch (error) {
    if (
      error instanceof QueueKeyProblem ||
      error instanceof QueueAddressProblem ||
      error instanceof HostFolderProblem
    )
      throw new Refusal(2, error.message);
    throw error;
  }
}

/** Resolves when a signal asks for the end, and when one insists on it. */
class Signals {
  readonly ask: Promise<void>;
  readonly insist: Promise<void>;
  close: () => void = () => undefined;

  constructor() {
    let [onAsk, onInsist] = [(): void => undefined, (): void => undefined];
    this.ask = new Promise((resolveAsk) => {
      onAsk = resolveAsk;
    });
    this.insist = new Promise((resolveInsist) => {
      onInsist = resolveInsist;
    });
    this.close = listenForSignals({ ask: () => onAsk(), insist: () => onInsist(), hangUp: () => undefined });
  }
}

const after = (seconds: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, seconds * 1000).unref();
  });

const nameOfMachine = (): string =>
  hostname()
    .replaceAll(/[^\w.-]/g, '-')
    .slice(0, 100) || 'worker';

function checkNames(name: string, provides: readonly string[]): void {
  if (!NAME.test(name))
    throw new Refusal(
      2,
      `--name: ${oneLine(name, 100)} can't be used. A name has letters, digits, \`.\`, \`_\` and \`-\`.`,
    );
  const wrong = provides.find((label) => !LABEL.test(label));
  if (wrong !== undefined)
    throw new Refusal(
      2,
      `--provides: ${oneLine(wrong, 100)} can't be used. A label has small letters, digits, \`.\`, \`_\` and \`-\`.`,
    );
}

interface WorkerLine {
  level: 'info' | 'warn' | 'error';
  text: string;
  fields: LogFields;
  runId: string | null;
}

function lineOf(event: HostEvent, name: string, { agents, provides }: WorkerOptions): WorkerLine {
  const line = (
    level: WorkerLine['level'],
    text: string,
    fields: LogFields,
    runId: string | null = null,
  ) => ({
    level,
    text,
    fields,
    runId,
  });
  switch (event.type) {
    case 'worker-started':
      return line('info', `${name} is there with ${plural(agents, 'agent')}`, {
        event: event.type,
        log_version: 1,
        host: name,
        agents,
        provides: [...provides],
        ended: event.ended,
      });
    case 'queue-lost':
      return line('warn', `Redis can't be reached: ${event.why}`, { event: event.type, message: event.why });
    case 'queue-back':
      return line('info', 'Redis can be reached again', { event: event.type, seconds: event.seconds });
    case 'clock-differs':
      return line('warn', "this clock and Redis's differ", { event: event.type, seconds: event.seconds });
    case 'project-prepared':
      return line('info', `${event.name} is ready`, {
        event: event.type,
        source: event.name,
        seconds: event.seconds,
      });
    case 'job-started':
      return line(
        'info',
        `${event.workstreamId} started`,
        { event: event.type, ...aboutJob(event, name), attempt: event.attempt ?? 1 },
        event.runId,
      );
    case 'job-ended':
      return line(
        event.end === 'lost' ? 'warn' : 'info',
        `${event.workstreamId} ${event.outcome?.status ?? event.end}`,
        {
          event: event.type,
          ...aboutJob(event, name),
          end: event.end,
          status: event.outcome?.status ?? null,
          reason: event.outcome?.failure?.reason ?? null,
          duration_seconds: event.outcome?.durationSeconds ?? null,
        },
        event.runId,
      );
    case 'job-refused':
      return line('error', `refused a job: ${event.why}`, {
        event: event.type,
        job: event.job,
        message: event.why,
      });
    case 'jobs-stalled':
      return line('warn', `${plural(event.jobs.length, 'job')} lost a worker`, {
        event: event.type,
        jobs: event.jobs,
      });
    case 'worker-draining':
      return line('info', `${name} takes nothing more`, { event: event.type, in_hand: event.inHand });
    case 'worker-ended':
      return line('info', `${name} has ended`, { event: event.type });
  }
}

const aboutJob = (
  { job, agent, workstreamId }: { job: string; agent: string; workstreamId: string | null },
  name: string,
) => ({ job, agent_id: `${name}/${agent}`, workstream_id: workstreamId ?? '' });
