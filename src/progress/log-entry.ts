/** What the log says of each event: its level, its text and its fields. */
import type { AgentResult, FinalStatus } from '../domain/agent-result.ts';
import type { Merge } from '../domain/changes.ts';
import type { EventOf, ResumedRun, RunEvent } from '../domain/run-event.ts';
import { cutBytes } from '../text/cut-text.ts';
import { plural } from '../text/format.ts';
import type { LogFields } from './log-schema.ts';

/** A log line before it is written. `fields.event` is the type of the event. */
export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: LogFields;
  text: string;
}

/** Events for which a line is made; a workstream's own line is written as it is. */
type LoggedEvent = Exclude<RunEvent, { type: 'workstream-log' }>;

const LEVELS = { completed: 'info', failed: 'error', skipped: 'warn' } as const satisfies Record<
  FinalStatus,
  LogEntry['level']
>;

/**
 * The log line for an event: one level, text and set of fields for each type of event.
 * @param startedAt when the run started, in milliseconds since 1970; null before.
 */
export function logEntry(event: LoggedEvent, startedAt: number | null): LogEntry {
  switch (event.type) {
    case 'run-started':
      return entry('info', `${event.runId} ${event.resumed === null ? 'started' : 'resumed'}`, {
        event: event.type,
        log_version: 1,
        agents: event.agents.length,
        workstreams: event.total,
        expected_seconds: event.expectedSeconds,
        ...(event.resumed === null ? {} : { finished_before: finishedBefore(event.resumed) }),
      });
    case 'checkout-read': {
      const { commit, branch, isDirty } = event.checkout;
      const text = `${branch ?? 'no branch'} is checked out at ${commit}`;
      return entry('debug', cutBytes(text), { event: event.type, commit, branch, dirty: isDirty });
    }
    case 'workstream-ready':
      return entry('debug', `${event.workstreamId} is ready`, {
        event: event.type,
        workstream_id: event.workstreamId,
      });
    case 'workstream-started':
      return entry('info', `${event.workstreamId} started`, {
        event: event.type,
        agent_id: event.agentId,
        workstream_id: event.workstreamId,
        title: cutBytes(event.title),
        attempt: event.attempt,
        expected_seconds: event.expectedSeconds,
      });
    case 'workstream-begun':
      return entry('debug', `${event.workstreamId} takes a while`, { event: event.type, ...about(event) });
    case 'workstream-retrying':
      return entry('warn', `${event.workstreamId} failed and is retried: ${event.reason}`, {
        event: event.type,
        ...about(event),
        attempt: event.attempt,
        reason: event.reason,
        message: cutBytes(event.explanation),
        after_seconds: event.afterSeconds,
      });
    case 'workstream-progress':
      return entry('debug', `${event.workstreamId} reports progress`, {
        event: event.type,
        ...about(event),
        fraction: event.fraction,
        message: cutBytes(event.text),
      });
    case 'session-began': {
      const { attempt, stepId, tool, sessionId } = event.session;
      return entry('debug', `${event.workstreamId}: ${cutBytes(tool)} began a session`, {
        event: event.type,
        workstream_id: event.workstreamId,
        attempt,
        step: cutBytes(stepId),
        tool: cutBytes(tool),
        session_id: cutBytes(sessionId),
      });
    }
    case 'candidate-ended':
      return candidateEnded(event);
    case 'candidate-reviewed':
      return candidateReviewed(event);
    case 'workstream-finished':
      return finished(event.result);
    case 'workstream-reopened':
      return entry('info', `${event.workstreamId} is open again`, {
        event: event.type,
        workstream_id: event.workstreamId,
        by: cutBytes(event.by),
        status: event.status,
        follows: event.follows,
      });
    case 'workstream-merged':
      return merged(event);
    case 'agent-replaced':
      return entry('warn', `${event.agentId} was replaced`, {
        event: event.type,
        agent_id: event.agentId,
        message: cutBytes(event.why),
      });
    case 'agents-scaled':
      return scaled(event);
    case 'waiting-for-runs':
      return waiting(event);
    case 'tool-parked':
      return parked(event);
    case 'tool-resumed':
      return entry('info', `${cutBytes(event.tool)} works again`, {
        event: event.type,
        tool: cutBytes(event.tool),
      });
    case 'interrupting':
      return entry('warn', `interrupted by ${cutBytes(event.signal)}`, {
        event: event.type,
        signal: cutBytes(event.signal),
        running: event.running,
      });
    case 'notice':
      return entry(event.level, cutBytes(event.text), {
        event: event.type,
        ...(event.workstreamId === null ? {} : { workstream_id: event.workstreamId }),
      });
    case 'run-ended':
      return ended(event, startedAt);
  }
}

function candidateEnded({ type, workstreamId, candidate: { facts } }: EventOf<'candidate-ended'>): LogEntry {
  const { tool, attempt, agentId, completed, reason } = facts;
  const end = completed ? 'completed' : `failed: ${reason ?? ''}`;
  return entry(completed ? 'info' : 'warn', `${workstreamId}: ${cutBytes(tool)} ${end}`, {
    event: type,
    agent_id: agentId ?? '',
    workstream_id: workstreamId,
    attempt,
    tool: cutBytes(tool),
    completed,
    reason,
    tests_passed: facts.testsPassed,
    cost_usd: facts.costUsd,
    duration_seconds: facts.durationSeconds,
  });
}

function candidateReviewed({ type, workstreamId, review }: EventOf<'candidate-reviewed'>): LogEntry {
  const { attempt, tool, verdict, found, costUsd } = review;
  const level = verdict === 'accepted' ? 'info' : 'warn';
  return entry(level, `${workstreamId}: attempt ${attempt} was ${verdict} by ${cutBytes(tool)}`, {
    event: type,
    workstream_id: workstreamId,
    attempt,
    tool: cutBytes(tool),
    verdict,
    findings: found,
    cost_usd: costUsd,
  });
}

const MERGED: ReadonlySet<Merge['status']> = new Set(['merged', 'mergeable', 'nothing-to-merge', 'pending']);

function merged({ type, workstreamId, merge }: EventOf<'workstream-merged'>): LogEntry {
  const { status, partner, failingTest, conflictsWith } = merge;
  const level = MERGED.has(status) ? 'info' : 'warn';
  return entry(level, `${workstreamId}: ${status.replaceAll('-', ' ')}`, {
    event: type,
    workstream_id: workstreamId,
    merge_status: status,
    partner: partner ?? conflictsWith[0] ?? null,
    failing_test: failingTest === null ? null : cutBytes(failingTest),
    message: cutBytes(merge.detail),
  });
}

const finishedBefore = ({ counts }: ResumedRun): number => counts.completed + counts.failed + counts.skipped;

/** The agent and the workstream that an event is about. */
const about = ({ agentId, workstreamId }: { agentId: string; workstreamId: string }) => ({
  agent_id: agentId,
  workstream_id: workstreamId,
});

const entry = (level: LogEntry['level'], text: string, fields: LogFields): LogEntry => ({
  level,
  fields,
  text,
});

function waiting({ waits, added, ...event }: EventOf<'waiting-for-runs'>): LogEntry {
  const fields = { event: event.type, waits: waits.length } as const;
  if (added !== null) {
    const about = { workstream_id: added.workstreamId, other_run_id: added.runId };
    return { level: 'info', text: cutBytes(added.explanation), fields: { ...fields, ...about } };
  }
  const isOver = waits.length === 0;
  const text = isOver ? 'no longer waits for another run' : 'waits for fewer resources of other runs';
  return { level: isOver ? 'info' : 'debug', text, fields };
}

function parked({
  at,
  tool,
  class: kind,
  why,
  until,
  source,
  parkedBy,
  type,
}: EventOf<'tool-parked'>): LogEntry {
  const wait = Math.max(0, Date.parse(until) - Date.parse(at)) / 1000;
  const name = cutBytes(tool);
  return entry('warn', `${name} waits for its usage limit until ${until}`, {
    event: type,
    tool: name,
    class: kind,
    until,
    seconds: wait,
    source,
    message: cutBytes(why),
    ...(parkedBy === null ? {} : { other_run_id: parkedBy }),
  });
}

function scaled(event: EventOf<'agents-scaled'>): LogEntry {
  const { from, to, reason, explanation } = event.change;
  const text = from === null ? `starts with ${plural(to, 'agent')}` : `${from} → ${plural(to, 'agent')}`;
  return entry('info', `${text}: ${reason}`, { event: event.type, from, to, reason, message: explanation });
}

function finished(result: AgentResult): LogEntry {
  const { workstreamId, status, reason, explanation, fromRun } = result;
  const verb = status === 'skipped' ? 'was skipped' : status;
  const why = fromRun === null ? reason : `taken over from ${fromRun}`;
  return {
    level: LEVELS[status],
    text: `${workstreamId} ${verb}${why === null ? '' : `: ${why}`}`,
    fields: {
      event: 'workstream-finished',
      agent_id: result.agentId,
      workstream_id: workstreamId,
      status,
      reason,
      message: explanation === null ? null : cutBytes(explanation),
      duration_seconds: result.durationSeconds,
      cpu_seconds: result.cpuSeconds,
      attempts: result.attempts,
      files_modified: result.filesModified.length,
      warnings: result.warnings.length,
      log_file: result.logFile,
      ...(fromRun === null ? {} : { from_run: fromRun, saved_seconds: result.savedSeconds }),
    },
  };
}

function ended(event: EventOf<'run-ended'>, startedAt: number | null): LogEntry {
  const { runId, exitCode, totals, report, page, database } = event;
  return entry(runLevel(exitCode), `${runId} ended with exit code ${exitCode}`, {
    event: event.type,
    exit_code: exitCode,
    duration_seconds: startedAt === null ? null : Math.max(0, Date.parse(event.at) - startedAt) / 1000,
    workstreams: totals.workstreams,
    completed: totals.completed,
    failed: totals.failed,
    skipped: totals.skipped,
    taken_over: totals.takenOver,
    saved_seconds: totals.savedSeconds,
    report,
    page,
    database,
  });
}

/** What is left waits for usage limits. */
const LIMITED = 5;

/** Above 128 a signal or a person ended it. */
function runLevel(exitCode: number): LogEntry['level'] {
  if (exitCode === 0) return 'info';
  return exitCode > 128 || exitCode === LIMITED ? 'warn' : 'error';
}
