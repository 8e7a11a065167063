import type { AgentResult, FinalStatus } from '../domain/agent-result.ts';
import type { Resumed, RunEvent } from '../domain/run-event.ts';
import { plural } from '../support/plural.ts';
import { cut } from './cut.ts';

/** A log line before it is written. `fields.event` is a stable name. */
export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: { event: string; [name: string]: unknown };
  text: string;
}

/** Events that have a line of their own; a workstream's log is passed on as it is. */
export type LoggedEvent = Exclude<RunEvent, { type: 'workstream-log' }>;

const LEVELS = { completed: 'info', failed: 'error', skipped: 'warn' } as const satisfies Record<
  FinalStatus,
  LogEntry['level']
>;

/**
 * The line for an event: one name, level and set of fields for each kind of event.
 * @param startedAt when the run started, in milliseconds since 1970; null before.
 */
export function logEntry(event: LoggedEvent, startedAt: number | null): LogEntry {
  switch (event.type) {
    case 'run-started':
      return entry('info', event, `${event.runId} ${event.resumed === null ? 'started' : 'resumed'}`, {
        agents: event.agents.length,
        workstreams: event.total,
        expected_seconds: event.expectedSeconds,
        ...(event.resumed === null ? {} : { finished_before: finishedBefore(event.resumed) }),
      });
    case 'workstream-ready':
      return entry('debug', event, `${event.workstreamId} is ready`, about(event));
    case 'workstream-started':
      return entry('info', event, `${event.workstreamId} started`, {
        ...about(event),
        title: cut(event.title),
        attempt: event.attempt,
        expected_seconds: event.expectedSeconds,
      });
    case 'workstream-retrying':
      return entry('warn', event, `${event.workstreamId} failed and is tried again: ${event.reason}`, {
        ...about(event),
        attempt: event.attempt,
        reason: event.reason,
        message: cut(event.explanation),
        after_seconds: event.afterSeconds,
      });
    case 'workstream-progress':
      return entry('debug', event, `${event.workstreamId} goes on`, {
        ...about(event),
        fraction: event.fraction,
        message: cut(event.text),
      });
    case 'workstream-finished':
      return finished(event.result);
    case 'agent-replaced':
      return entry('warn', event, `${event.agentId} was replaced`, {
        ...about(event),
        message: cut(event.why),
      });
    case 'agents-scaled':
      return scaled(event);
    case 'waiting-for-runs':
      return waiting(event);
    case 'interrupting':
      return entry('warn', event, `interrupted by ${cut(event.signal)}`, {
        signal: cut(event.signal),
        running: event.running,
      });
    case 'notice':
      return entry(event.level, event, cut(event.text), about(event));
    case 'run-ended':
      return ended(event, startedAt);
  }
}

const finishedBefore = ({ counts }: Resumed): number => counts.completed + counts.failed + counts.skipped;

/** The agent and the workstream that an event is about, where it is about one. */
export function about(event: { agentId?: string; workstreamId?: string | null }): Record<string, string> {
  const { agentId, workstreamId } = event;
  return {
    ...(agentId === undefined ? {} : { agent_id: agentId }),
    ...(workstreamId === undefined || workstreamId === null ? {} : { workstream_id: workstreamId }),
  };
}

function entry(
  level: LogEntry['level'],
  event: LoggedEvent,
  text: string,
  fields: Record<string, unknown>,
): LogEntry {
  return { level, fields: { event: event.type, ...fields }, text };
}

function waiting({ waits, added, ...event }: Extract<RunEvent, { type: 'waiting-for-runs' }>): LogEntry {
  const fields = { event: event.type, waits: waits.length };
  if (added !== null) {
    const about = { workstream_id: added.workstreamId, other_run_id: added.runId };
    return { level: 'info', text: cut(added.explanation), fields: { ...fields, ...about } };
  }
  const isOver = waits.length === 0;
  const text = isOver ? 'waits for no other run any more' : 'waits for less of other runs than before';
  return { level: isOver ? 'info' : 'debug', text, fields };
}

function scaled(event: Extract<RunEvent, { type: 'agents-scaled' }>): LogEntry {
  const { from, to, reason, explanation } = event.change;
  const text = from === null ? `starts with ${plural(to, 'agent')}` : `${from} → ${plural(to, 'agent')}`;
  return entry('info', event, `${text}: ${reason}`, { from, to, reason, message: explanation });
}

function finished(result: AgentResult): LogEntry {
  const { workstreamId, status, reason, explanation } = result;
  const verb = status === 'skipped' ? 'was skipped' : status;
  return {
    level: LEVELS[status],
    text: `${workstreamId} ${verb}${reason === null ? '' : `: ${reason}`}`,
    fields: {
      event: 'workstream-finished',
      ...about(result),
      status,
      reason,
      message: explanation === null ? null : cut(explanation),
      duration_seconds: result.durationSeconds,
      cpu_seconds: result.cpuSeconds,
      attempts: result.attempts,
      files_modified: result.filesModified.length,
      warnings: result.warnings.length,
      log_file: result.logFile,
    },
  };
}

function ended(event: Extract<RunEvent, { type: 'run-ended' }>, startedAt: number | null): LogEntry {
  const { runId, exitCode, totals, report, database } = event;
  return entry(runLevel(exitCode), event, `${runId} ended with exit code ${exitCode}`, {
    exit_code: exitCode,
    duration_seconds: startedAt === null ? null : Math.max(0, Date.parse(event.at) - startedAt) / 1000,
    workstreams: totals.workstreams,
    completed: totals.completed,
    failed: totals.failed,
    skipped: totals.skipped,
    report,
    database,
  });
}

/** 130 and 143: somebody ended it. */
function runLevel(exitCode: number): LogEntry['level'] {
  if (exitCode === 0) return 'info';
  return exitCode > 128 ? 'warn' : 'error';
}
