import { expect, onTestFinished, test, vi } from 'vitest';
import type { Recorder } from '../../src/domain/recorder.ts';
import type { EventSink, RunEvent, RunListener } from '../../src/domain/run-event.ts';
import { Journal } from '../../src/run/journal.ts';
import { Redactor } from '../../src/secrets/redactor.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';
import { result } from '../kit/recorded-run.ts';

/**
 * A recorder that keeps the order of what it was told, and refuses to commit while `broken`, and to sync
 * while `unsynced`.
 */
class ListRecorder implements Recorder {
  readonly log: string[] = [];
  broken = false;
  unsynced = false;
  readonly seconds = 0;

  take(events: readonly RunEvent[]): void {
    for (const event of events) this.log.push(`take ${event.type}`);
  }

  commit(): void {
    if (this.broken) throw new Error('disk full');
    this.log.push('commit');
  }

  async sync(): Promise<void> {
    if (this.unsynced) throw new Error('the disk is gone');
    this.log.push('sync');
  }

  finish(): void {
    this.log.push('finish');
  }
}

const journalOf = (
  recorder: Recorder,
  listeners: (RunListener | EventSink)[],
  failure = new AbortController(),
): Journal => new Journal({ recorder, listeners, failure, redactor: NO_SECRETS });

const event: RunEvent = { type: 'workstream-ready', workstreamId: 'ws-a' };

test('nobody is told of an event before it is committed and on the disk', async () => {
  const recorder = new ListRecorder();
  const journal = journalOf(recorder, [({ type }) => recorder.log.push(`told ${type}`)]);
  journal.publish(event);
  journal.publish(event);
  expect(recorder.log).toEqual(['take workstream-ready', 'take workstream-ready']);
  journal.commit();
  expect(recorder.log.slice(2)).toEqual(['commit', 'sync']);
  await journal.flush();
  const lasting = recorder.log.slice(3).filter((entry) => entry !== 'commit');
  expect(lasting).toEqual(['sync', 'told workstream-ready', 'told workstream-ready']);
});

test('events that are published together are recorded and told together, to whom wants lists', async () => {
  const recorder = new ListRecorder();
  const lists: number[] = [];
  const alone: string[] = [];
  const sink: EventSink = { take: ({ length }) => lists.push(length) };
  const journal = journalOf(recorder, [sink, ({ type }) => alone.push(type)]);
  journal.publishAll([event, event, event]);
  journal.publish(event);
  await journal.flush();
  expect([lists, alone.length]).toEqual([[4], 4]);
});

test('a listener that throws is named in a warning, and the others are told', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => warnings.mockRestore());
  const bad = (): never => {
    throw new Error('a bug');
  };
  const told: string[] = [];
  const journal = journalOf(new ListRecorder(), [{ take: bad }, bad, ({ type }) => told.push(type)]);
  journal.publishAll([event, event]);
  await journal.flush();
  expect(told).toHaveLength(2);
  expect(warnings.mock.calls.map(([text]) => text)).toEqual(
    Array.from({ length: 3 }, () => 'A listener failed at workstream-ready: Error: a bug'),
  );
});

test('the clock commits when nobody else does', async () => {
  const recorder = new ListRecorder();
  await new Promise<void>((resolve) => {
    const journal = journalOf(recorder, [() => resolve()]);
    journal.publish(event);
  });
  expect(recorder.log).toEqual(['take workstream-ready', 'commit', 'sync']);
});

test('2,000 events are committed at once', async () => {
  const recorder = new ListRecorder();
  let told = 0;
  const journal = journalOf(recorder, [() => (told += 1)]);
  for (let count = 0; count < 2_000; count += 1) journal.publish(event);
  expect(recorder.log.at(-2)).toBe('commit');
  await journal.flush();
  expect(told).toBe(2_000);
});

test('a commit that fails tells nobody of the events, once tells who must know, and loses nothing', async () => {
  const recorder = new ListRecorder();
  const failure = new AbortController();
  let told = 0;
  const journal = journalOf(recorder, [() => (told += 1)], failure);
  recorder.broken = true;
  for (let count = 0; count < 2_100; count += 1) journal.publish(event);
  expect(told).toBe(0);
  expect(failure.signal.reason).toEqual(new Error('disk full'));
  recorder.broken = false;
  await journal.flush();
  expect(told).toBe(2_100);
});

test('a disk that refuses is told once, and events are told once it takes them', async () => {
  const recorder = new ListRecorder();
  const failure = new AbortController();
  let told = 0;
  const journal = journalOf(recorder, [() => (told += 1)], failure);
  recorder.unsynced = true;
  journal.publish(event);
  await expect(journal.flush()).rejects.toThrow('the disk is gone');
  await expect(journal.flush()).rejects.toThrow('the disk is gone');
  expect(failure.signal.reason).toEqual(new Error('the disk is gone'));
  expect(told).toBe(0);
  recorder.unsynced = false;
  expect(await journal.close()).toBeNull();
  expect(told).toBe(1);
});

test('what comes after it was closed is not taken, and starts no clock', async () => {
  const recorder = new ListRecorder();
  const told: string[] = [];
  const journal = journalOf(recorder, [({ type }) => told.push(type)]);
  journal.publish(event);
  expect(await journal.close()).toBeNull();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const before = [...recorder.log];
  journal.publish({ type: 'interrupting', signal: 'SIGTERM', running: 0 });
  expect(vi.getTimerCount()).toBe(0);
  expect(recorder.log).toEqual(before);
  expect(told).toEqual(['workstream-ready']);
});

test('what is committed while the disk is busy is told after what came before', async () => {
  const recorder = new ListRecorder();
  const told: string[] = [];
  const journal = journalOf(recorder, [({ type }) => told.push(type)]);
  journal.publish(event);
  journal.commit();
  journal.publish({ type: 'interrupting', signal: 'SIGINT', running: 0 });
  journal.commit();
  expect(told).toEqual([]);
  await journal.flush();
  expect(told).toEqual(['workstream-ready', 'interrupting']);
});

test('progress is told at once and makes nobody wait, but never overtakes', async () => {
  const recorder = new ListRecorder();
  const told: string[] = [];
  const journal = journalOf(recorder, [({ type }) => told.push(type)]);
  const progress: RunEvent = {
    type: 'workstream-progress',
    workstreamId: 'ws-a',
    agentId: 'agent-1',
    fraction: 0.5,
    text: '',
  };
  journal.publish(progress);
  expect(told).toEqual(['workstream-progress']);
  journal.publish(event);
  journal.publish(progress);
  expect(told).toEqual(['workstream-progress']);
  await journal.flush();
  expect(told).toEqual(['workstream-progress', 'workstream-ready', 'workstream-progress']);
  expect(recorder.log.filter((entry) => entry === 'commit')).toHaveLength(1);
});

test('neither the recorder nor anyone who is told sees a secret', async () => {
  const seen: RunEvent[] = [];
  const recorder = new ListRecorder();
  recorder.take = (events) => void seen.push(...events);
  const redactor = new Redactor([{ name: 'A_KEY', value: 'abcdefgh' }]);
  const listeners = [(event: RunEvent) => void seen.push(event)];
  const journal = new Journal({ recorder, listeners, redactor, failure: new AbortController() });
  const metadata = {
    output: { abcdefgh: [1, 'x abcdefgh'] },
    definition: { abcdefgh: 'abcdefgh' },
    tail: 'abcdefgh',
  };
  const finished = result('ws-a', { filesModified: ['abcdefgh.txt'], warnings: ['abcdefgh'], metadata });
  journal.publish({ type: 'workstream-finished', result: finished });
  const about = { workstreamId: 'ws-a', agentId: 'agent-1' };
  journal.publish({ type: 'workstream-log', ...about, line: '{"abcdefgh":"\\"abcdefgh"}' });
  journal.publish({ type: 'workstream-progress', ...about, fraction: null, text: 'abcdefgh' });
  journal.publish({ type: 'notice', level: 'info', text: 'abcdefgh', workstreamId: null });
  await journal.flush();
  expect(seen).toHaveLength(8);
  expect(JSON.stringify(seen)).not.toContain('abcdefgh');
  expect(seen[0]).toMatchObject({
    result: {
      workstreamId: 'ws-a',
      filesModified: ['[redacted: A_KEY].txt'],
      metadata: { output: { '[redacted: A_KEY]': [1, 'x [redacted: A_KEY]'] }, tail: '[redacted: A_KEY]' },
    },
  });
});
