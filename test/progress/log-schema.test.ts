/** docs/log.md is made of the schema of the log, and every line that Millrace writes is of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { mergeOf } from '../../src/domain/changes.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { commonFields, logEvents, logLineSchema, workerEvents } from '../../src/progress/log-schema.ts';
import { RunLog } from '../../src/progress/logs.ts';
import {
  candidateEnded,
  candidateReviewed,
  completed,
  failed,
  progress,
  result,
  runEnded,
  runStarted,
  sessionBegan,
  skipped,
  started,
} from '../kit/events.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/log.md', import.meta.url));

interface Described {
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Described[];
}
interface DescribedObject extends Described {
  properties: Record<string, Described>;
  required?: string[];
}

const typeOf = (field: Described): string => {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  return field.anyOf === undefined
    ? [field.type ?? ''].flat().join(' or ')
    : field.anyOf.map(typeOf).join(', ').replace(', null', ' or null');
};

const meaningOf = ({ description, anyOf = [] }: Described): string =>
  description ?? anyOf.map((each) => each.description).find((each) => each !== undefined) ?? '';

function tableOf(schema: z.ZodType, isShown: (name: string) => boolean): string {
  const { properties, required = [] } = z.toJSONSchema(schema) as unknown as DescribedObject;
  const rows = Object.entries(properties)
    .filter(([name]) => isShown(name))
    .map(
      ([name, field]) =>
        `| \`${name}\` | ${typeOf(field)}${required.includes(name) ? '' : ', optional'} | ${meaningOf(field)} |`,
    );
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows].join('\n').replaceAll('|  |', '| |');
}

function linesSection(): string {
  const events = [...logEvents, ...workerEvents].map((event) => {
    const isOwn = (name: string): boolean => name !== 'event' && !(name in commonFields);
    const hasOwn = Object.keys(event.shape).some(isOwn);
    const table = hasOwn ? `\n\n${tableOf(event, isOwn)}` : '';
    return `### \`${event.shape.event.value}\`\n\n${event.description ?? ''}${table}`;
  });
  return [`All lines have:\n\n${tableOf(z.object(commonFields), () => true)}`, ...events].join('\n\n');
}

test('docs/log.md describes every event and field of the schema (vitest -u writes it)', async () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const begin = document.indexOf('-->\n', document.indexOf('<!-- from')) + '-->\n'.length;
  const end = document.indexOf('<!-- end -->');
  const written = `${document.slice(0, begin)}\n${linesSection()}\n\n${document.slice(end)}`;
  await expect(written).toMatchFileSnapshot(DOCUMENT);
});

/** One of each event, with and without what may be missing. */
const EVENTS: RunEvent[] = [
  { type: 'notice', level: 'warn', text: 'before the run', workstreamId: null },
  runStarted(3, 2, { expectedSeconds: 12.5 }),
  { type: 'checkout-read', checkout: { commit: 'abc', branch: null, isDirty: null } },
  { type: 'workstream-ready', workstreamId: 'ws-1' },
  started('ws-1', 1, 0, { title: 'First' }),
  {
    type: 'workstream-begun',
    workstreamId: 'ws-1',
    title: 'First',
    agentId: 'agent-1',
    attempt: 1,
    at: '2026-01-02T03:04:05.000Z',
    expectedSeconds: null,
  },
  progress('ws-1', 1, null, 'half way'),
  { type: 'workstream-log', workstreamId: 'ws-1', agentId: 'agent-1', line: 'no JSON' },
  {
    type: 'workstream-retrying',
    workstreamId: 'ws-1',
    agentId: 'agent-1',
    attempt: 1,
    reason: 'exit-non-zero',
    explanation: 'It ended with exit code 1.',
    afterSeconds: 0.5,
  },
  sessionBegan('ws-1'),
  candidateEnded('ws-1'),
  candidateEnded('ws-1', 'no-changes'),
  candidateReviewed('ws-1'),
  candidateReviewed('ws-1', 'rejected'),
  completed('ws-1', 1, 1.25),
  {
    type: 'workstream-finished',
    result: { ...result('ws-4'), fromRun: 'ma-run-20260101-000000', savedSeconds: 3 },
  },
  failed('ws-2', 2, '`npm test` ended with exit code 1.', 2),
  skipped('ws-3'),
  {
    type: 'workstream-reopened',
    workstreamId: 'ws-2',
    at: '2026-01-02T03:04:05.000Z',
    by: 'ann@host',
    status: 'failed',
    follows: null,
  },
  { type: 'workstream-merged', workstreamId: 'ws-1', merge: mergeOf({ status: 'merged' }) },
  {
    type: 'workstream-merged',
    workstreamId: 'ws-4',
    merge: mergeOf({ status: 'breaks-tests', partner: 'ws-1', failingTest: 'npm test', detail: 'it fails' }),
  },
  { type: 'agent-replaced', agentId: 'agent-1', why: 'it died' },
  {
    type: 'agents-scaled',
    change: { at: '2026-01-02T03:04:05.000Z', from: null, to: 2, reason: 'start', explanation: 'two cores' },
    agents: ['agent-1', 'agent-2'],
  },
  { type: 'waiting-for-runs', waits: [], added: null },
  {
    type: 'waiting-for-runs',
    waits: [{ workstreamId: 'ws-1', runId: 'ma-run-1', explanation: 'ws-1 waits' }],
    added: { workstreamId: 'ws-1', runId: 'ma-run-1', explanation: 'ws-1 waits' },
  },
  {
    type: 'tool-parked',
    at: '2026-01-02T03:04:05.000Z',
    tool: 'claude',
    class: 'window',
    why: "You've hit your limit · resets 2pm (UTC)",
    until: '2026-01-02T14:00:03.000Z',
    source: 'words',
    resumptions: 0,
    parkedBy: null,
  },
  {
    type: 'tool-parked',
    at: '2026-01-02T03:04:05.000Z',
    tool: 'codex',
    class: 'rate',
    why: 'exceeded retry limit, last status: 429 Too Many Requests',
    until: '2026-01-02T04:04:05.000Z',
    source: 'guess',
    resumptions: 1,
    parkedBy: 'ma-run-20260101-000000',
  },
  { type: 'tool-resumed', at: '2026-01-02T03:04:05.000Z', tool: 'claude' },
  { type: 'interrupting', signal: 'SIGINT', running: 2 },
  { type: 'notice', level: 'info', text: 'about one', workstreamId: 'ws-1' },
  runEnded(1, 10.5),
];

test('the line of each event is of the schema, and has a field for all that it says', async () => {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level: 'debug', descriptor: null, file });
  log.take(EVENTS);
  await log.close();
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines).toHaveLength(EVENTS.length);
  const wrong = lines.flatMap((line) => logLineSchema.safeParse(line).error?.issues ?? []);
  expect(wrong).toEqual([]);
  const types = new Set(EVENTS.map(({ type }) => type));
  expect(
    logEvents
      .map(({ shape }) => shape.event.value)
      .filter((event) => event !== 'log-lost')
      .toSorted(),
  ).toEqual([...types].toSorted());
});
