/**
 * What every engine must do, asked of one whose agents are those of a host behind a queue, alone and in batches. It has
 * no tool steps: coding agents are not executed by hosts.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Engine } from '../../src/domain/engine.ts';
import { QueueRun } from '../../src/engine/queue/coordinator/queue-run.ts';
import { Host } from '../../src/engine/queue/host/host.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { describeEngine, inBatch } from '../conformance/engine.ts';
import { moduleStep, workstream } from '../kit/definitions.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-host-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(hasRedis)('over a queue', () => {
  let server: RedisServer;
  let host: Host;

  beforeAll(async () => {
    server = await RedisServer.start();
    host = await Host.start({
      address: { url: server.url, caFile: null },
      key: new QueueKey(QUEUE_KEY),
      name: 'host-a',
      agents: 2,
      agentMemoryMb: 64,
      provides: [],
      leaseMs: 60_000,
      folder,
      version: '0.0.0',
      onEvent: () => undefined,
    });
  });
  afterAll(async () => {
    await host.close();
    await server.close();
  });

  /** Host and run share the folder that all folders of tests are in. */
  async function create(): Promise<Engine> {
    process.env['MILLRACE_QUEUE_KEY'] = QUEUE_KEY;
    const { engine } = await QueueRun.open({
      url: server.url,
      caFile: null,
      keyFile: null,
      source: 'shared',
      waitSeconds: 60,
      project: realpathSync(tmpdir()),
      excluded: [],
      setup: null,
      redact: { names: [], keep: [] },
      logLevel: 'info',
      workstreams: [workstream('ws-a', [moduleStep('./a.mjs')])],
      earlier: null,
      keepsSource: false,
    });
    return withoutBegan(engine);
  }

  const traits = { agentId: 'host-a/agent-1', tools: false };
  describeEngine('QueueEngine', 'thread', create, null, traits);
  describeEngine('QueueEngine, in a batch', 'thread', create, inBatch(5), traits);
});

/** A message that only this engine sends: the other ones begin when they are asked. */
const withoutBegan = (engine: Required<Pick<Engine, 'executeBatch'>> & Engine): Engine => ({
  execute: (given, options) =>
    engine.execute(given, {
      ...options,
      onMessage: (message) => {
        if (message.type !== 'began') options.onMessage(message);
      },
    }),
  executeBatch: (given, options) =>
    engine.executeBatch(given, {
      ...options,
      onMessage: (index, message) => {
        if (message.type !== 'began') options.onMessage(index, message);
      },
    }),
  close: () => engine.close(),
});
