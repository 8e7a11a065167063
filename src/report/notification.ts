/** What is told of the end of a run: to a program as JSON, to a chat as text. */
import { z } from 'zod';
import { comparisonSentence } from '../domain/history/history.ts';
import type { RunDocumentHead } from '../domain/run-record.ts';
import { totalCost } from '../domain/tool-record.ts';
import { shortened } from '../text/cut-text.ts';
import { seconds } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import { verdict } from './verdict.ts';

const text = z.string();
const count = z.int().nonnegative();

const LINE = 300;
const FAILURES = 10;

/** The body of a webhook. Fields may be added within a version. */
export const notificationSchema = z.object({
  version: z.literal(1),
  type: z.literal('run-ended'),
  runId: text,
  /** The name that it shares with other runs of its kind; null for none. */
  label: text.nullable(),
  state: z.enum(['ended', 'interrupted']),
  exitCode: count,
  /** The signal or the option that ended it early; null where none did. */
  interruptedBy: text.nullable(),
  /** The usage limit that all that is left waits for; null where it did not end with exit code 5. */
  waitsForLimit: z.object({ tool: text, until: text }).nullable(),
  /** ISO 8601 in UTC. */
  startedAt: text,
  endedAt: text.nullable(),
  /** Of all its sessions, without pauses; null where it is not known. */
  wallSeconds: z.number().nullable(),
  /** How it ended, in a sentence. */
  verdict: text,
  totals: z.object({ workstreams: count, completed: count, failed: count, skipped: count }),
  /** The first that failed, at most 10. */
  failures: z.array(
    z.object({ workstreamId: text, title: text, reason: text.nullable(), explanation: text.nullable() }),
  ),
  /** How it differs from the run before it of the same workstreams, in a sentence; null where it was not compared. */
  comparison: text.nullable(),
  /** US dollars that tools report; null where none does. */
  costUsd: z.number().nullable(),
  /** The commit that was checked out, in full; null where that is not known. */
  commit: text.nullable(),
  /** Name of the machine; null where it is not known. */
  hostname: text.nullable(),
  /** Absolute paths on that machine; null where they could not be written. */
  report: text.nullable(),
  page: text.nullable(),
});
export type Notification = z.infer<typeof notificationSchema>;

/** @param told.exitCode of the run, and where its reports are. */
export function notificationOf(
  head: RunDocumentHead,
  told: { exitCode: number; report: string | null; page: string | null },
): Notification {
  const { run, failures, comparison, tools } = head;
  const { workstreams, completed, failed, skipped } = run.totals;
  const line = (given: string): string => oneLine(given, LINE);
  return {
    version: 1,
    type: 'run-ended',
    runId: run.runId,
    label: run.label,
    state: run.state === 'ended' ? 'ended' : 'interrupted',
    exitCode: told.exitCode,
    interruptedBy: run.executionSummary?.interruptedBy ?? null,
    waitsForLimit: run.executionSummary?.waitsForLimit ?? null,
    startedAt: run.createdAt,
    endedAt: run.endedAt,
    wallSeconds: run.executionSummary?.speed.wallSeconds ?? null,
    verdict: line(verdict(head).replaceAll('`', '')),
    totals: { workstreams, completed, failed, skipped },
    failures: failures.shown.slice(0, FAILURES).map(({ workstreamId, title, reason, explanation }) => ({
      workstreamId: line(workstreamId),
      title: line(title),
      reason,
      explanation: explanation === null ? null : line(explanation),
    })),
    comparison: comparison === null ? null : comparisonSentence(comparison),
    costUsd: totalCost(tools).knownUsd,
    commit: run.checkout?.commit ?? null,
    hostname: run.hostname,
    report: told.report,
    page: told.page,
  };
}

/** The services whose webhooks take a text instead. */
export type ChatFormat = 'slack' | 'discord';

/** The body that a service takes; Millrace's own for null. Both chats have a limit in length. */
export function notificationBody(notification: Notification, format: ChatFormat | null): string {
  if (format === null) return JSON.stringify(notification);
  return format === 'slack'
    ? JSON.stringify({ text: chatText(notification, escapedForSlack) })
    : // Nobody is called by what a workstream has written.
      JSON.stringify({ content: chatText(notification, escapedForDiscord), allowed_mentions: { parse: [] } });
}

const CHAT = 1_900;

function chatText(
  { runId, label, verdict: sentence, wallSeconds, failures, totals, comparison }: Notification,
  escape: (given: string) => string,
): string {
  const time = wallSeconds === null ? '' : ` It took ${seconds(wallSeconds)}.`;
  const named = label === null ? runId : `${label} (${runId})`;
  const more = totals.failed - failures.length;
  const lines = [
    `Millrace, ${escape(named)}: ${escape(sentence)}${time}`,
    ...failures.map(
      ({ workstreamId, explanation, reason }) =>
        `• ${escape(workstreamId)}: ${escape(explanation ?? reason ?? 'failed')}`,
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(comparison === null ? [] : [escape(comparison)]),
  ];
  return shortened(lines.join('\n'), CHAT);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** What is in angle brackets is a link or calls somebody. https://docs.slack.dev/messaging/formatting-message-text */
const escapedForSlack = (given: string): string =>
  given.replaceAll(/[&<>]/g, (char) => ENTITIES[char] ?? char);

const escapedForDiscord = (given: string): string => given.replaceAll(/[\\*_~`|>#@[\]()-]/g, String.raw`\$&`);
