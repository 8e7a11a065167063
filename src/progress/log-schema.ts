/**
 * The lines of the log: one object a line. This is what the log is written by (its types), what docs/log.md is made of,
 * and what lines of real runs are tested against. Fields may be added within a version; one that goes, or gets another
 * meaning, needs the next.
 */
import { z } from 'zod';

const text = z.string();
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();

const agentId = text.describe('The agent: `agent-1` …; `coordinator` where none executed it.');
const workstreamId = text.describe('The workstream.');
const attempt = count.describe('Number of the attempt, from 1.');
const message = text.describe('A sentence for a person, cut after 8 KiB.');

/** What all lines have. */
export const commonFields = {
  level: z
    .union([20, 30, 40, 50].map((level) => z.literal(level)))
    .describe('20 debug, 30 info, 40 warn, 50 error, as in pino.'),
  time: z.number().describe('Milliseconds since 1970.'),
  run_id: text.optional().describe('The run; missing in what is said before it begins.'),
  msg: text.describe('A few words for a person. They may change at any time.'),
};

const event = <Name extends string, Fields extends z.core.$ZodLooseShape>(
  name: Name,
  what: string,
  fields: Fields,
) => z.strictObject({ ...commonFields, event: z.literal(name), ...fields }).describe(what);

/** What each event says, beside what all lines have. */
export const logEvents = [
  event('run-started', 'A run begins, or goes on. The first line of a run.', {
    log_version: z.literal(1).describe('Version of the log.'),
    agents: count.describe('Number of agents at first.'),
    workstreams: count.describe('Number of workstreams, invalid ones too.'),
    expected_seconds: seconds
      .nullable()
      .describe('Work of all agents together, from history; null without any.'),
    finished_before: count.optional().describe('Results from before; only of a run that is resumed.'),
  }),
  event('checkout-read', 'What is checked out in the folder of the project.', {
    commit: text,
    branch: text.nullable(),
    dirty: z.boolean().nullable().describe('Whether files that git knows were changed.'),
  }),
  event('workstream-ready', 'All that it depends on is there, or it was re-queued.', {
    workstream_id: workstreamId,
  }),
  event('workstream-started', 'An agent takes it.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    title: text,
    attempt,
    expected_seconds: seconds.nullable().describe('From history; null without any.'),
  }),
  event(
    'workstream-begun',
    'One that waited behind others of its agent is executed now, and takes a while.',
    {
      agent_id: agentId,
      workstream_id: workstreamId,
    },
  ),
  event('workstream-retrying', 'An attempt failed, and another follows.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    attempt: count.describe('The attempt that failed.'),
    reason: text.describe('Why it failed, in a word.'),
    message,
    after_seconds: seconds.describe('Pause before the next attempt.'),
  }),
  event('workstream-progress', 'A module or a tool says how far it is.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    fraction: z.number().nullable().describe('0 to 1; null where it is not known.'),
    message,
  }),
  event('workstream-log', 'A line of a module that was no JSON object.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    line: text.describe('The line, cut after 8 KiB.'),
  }),
  event('session-began', 'The tool of a step has named its session.', {
    workstream_id: workstreamId,
    attempt: count,
    step: text.describe('The id of the step.'),
    tool: text,
    session_id: text.describe('As the tool names it.'),
  }),
  event('candidate-ended', 'One of the tools that were given the same workstream has ended.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    attempt: count.describe('Which of them: counted from 1.'),
    tool: text,
    completed: z.boolean(),
    reason: text.nullable().describe('Why it failed, in a word; null where it completed.'),
    tests_passed: count,
    cost_usd: z.number().nullable().describe('US dollars; null where it is not known.'),
    duration_seconds: seconds,
  }),
  event('candidate-reviewed', 'The best of them was reviewed.', {
    workstream_id: workstreamId,
    attempt: count,
    tool: text.describe('The reviewer.'),
    verdict: z.enum(['accepted', 'rejected', 'none']),
    findings: count,
    cost_usd: z.number().nullable().describe('US dollars; null where it is not known.'),
  }),
  event('workstream-finished', 'Its final result is on the disk.', {
    agent_id: agentId,
    workstream_id: workstreamId,
    status: z.enum(['completed', 'failed', 'skipped']),
    reason: text.nullable().describe('Why it did not complete, in a word; null where it did.'),
    message: message.nullable(),
    duration_seconds: seconds.nullable().describe('Of the last attempt; null where no agent executed it.'),
    cpu_seconds: seconds.nullable().describe('CPU time of its thread; null where it is not known.'),
    attempts: count,
    files_modified: count,
    warnings: count,
    log_file: text.nullable().describe('Path of what it printed; null for nothing.'),
    from_run: text
      .optional()
      .describe('The run whose result was taken over; only where nothing was executed.'),
    saved_seconds: seconds
      .nullable()
      .optional()
      .describe('How long that run took for it; only with `from_run`.'),
  }),
  event('workstream-reopened', 'Its result is withdrawn, and it is tried again.', {
    workstream_id: workstreamId,
    by: text.describe('Who asked for it.'),
    status: z.enum(['failed', 'skipped']).describe('What its result was.'),
    follows: text
      .nullable()
      .describe('The workstream for which it was skipped; null where it is the one that was asked for.'),
  }),
  event('workstream-merged', "What became of its work in the run's own branch.", {
    workstream_id: workstreamId,
    merge_status: text.describe('`merged`, `conflict`, `breaks-tests` …, as in the table `agent_results`.'),
    partner: text
      .nullable()
      .describe('The workstream with which it conflicts, or breaks a test; null for none.'),
    failing_test: text.nullable().describe('The test that it breaks; null for none.'),
    message,
  }),
  event('agent-replaced', 'The thread of an agent was replaced.', { agent_id: agentId, message }),
  event('agents-scaled', 'The number of agents follows the load.', {
    from: count.nullable().describe('Null at the start.'),
    to: count,
    reason: z.enum(['start', 'waiting', 'cpu-bound', 'crowded', 'memory']),
    message,
  }),
  event('waiting-for-runs', 'Other runs hold what workstreams of this one need.', {
    waits: count.describe('For how many things it waits from now on.'),
    workstream_id: workstreamId.optional().describe('Of what is new.'),
    other_run_id: text.optional().describe('The run that holds it.'),
  }),
  event('tool-parked', 'A tool met a usage limit that passes: it is not started before that.', {
    tool: text.describe('The tool, or the account that it shares with others.'),
    class: z.enum(['rate', 'window']),
    until: text.describe('When it is started again: ISO 8601 in UTC.'),
    seconds: seconds.describe('How long that is from now on.'),
    source: z
      .enum(['exact', 'words', 'guess'])
      .describe('Whether the tool gave the time as a number or in words, or said none.'),
    message: message.describe('What the tool said.'),
    other_run_id: text.optional().describe('The run that met the limit, where it was not this one.'),
  }),
  event('tool-resumed', 'A tool that was parked works again.', { tool: text }),
  event('interrupting', 'The run is ended before its time.', {
    signal: text.describe('A signal, or who asked for it.'),
    running: count.describe('Workstreams that are stopped.'),
  }),
  event('notice', 'Something that a person should know.', { workstream_id: workstreamId.optional() }),
  event('log-lost', 'Lines of the log could not be written, or not be kept for a reader that is slow.', {
    lines: count.optional(),
    message: message.optional(),
  }),
  event('run-ended', 'All results are on the disk. The last line of a run.', {
    exit_code: count,
    duration_seconds: seconds.nullable(),
    workstreams: count,
    completed: count,
    failed: count,
    skipped: count,
    taken_over: count.describe('Of those that completed: results of earlier runs.'),
    saved_seconds: seconds.describe('How long those had taken.'),
    report: text.nullable().describe('Path of the report; null where it could not be written.'),
    page: text.nullable().describe('Path of the HTML page; null where none was written.'),
    database: text.describe('Path of the database.'),
  }),
] as const;

/** What each event of a worker says. */
export const workerEvents = [
  event('worker-started', 'A worker is there for runs. The first line of a worker.', {
    log_version: z.literal(1).describe('Version of the log.'),
    host: text.describe('Its name.'),
    agents: count.describe('How many workstreams it executes at once.'),
    provides: z.array(text).describe('What workstreams may require of it.'),
    ended: z.array(text).describe('Processes that a killed worker had left, and that were ended.'),
  }),
  event('queue-lost', 'Redis can not be reached. A worker takes nothing before it is back.', { message }),
  event('queue-back', 'Redis can be reached again.', { seconds: seconds.describe('How long it was away.') }),
  event('clock-differs', 'The clock of the worker and that of Redis differ by more than 5 minutes.', {
    seconds: z.number().describe("What the worker's clock is ahead."),
  }),
  event('project-prepared', 'The files of a project are there, and its setup has run.', {
    source: text.describe('A snapshot or a commit.'),
    seconds: seconds.describe('How long that took.'),
  }),
  event('job-started', 'A worker has taken a workstream.', {
    job: text.describe('Id of the job in the queue.'),
    agent_id: agentId,
    workstream_id: workstreamId,
    attempt,
  }),
  event('job-ended', 'A worker has a workstream no longer.', {
    job: text,
    agent_id: agentId,
    workstream_id: workstreamId,
    end: z
      .enum(['answered', 'given-back', 'lost'])
      .describe(
        '`given-back`: another may take it. `lost`: another may have it, and what was done does not count.',
      ),
    status: z.enum(['completed', 'failed']).nullable().describe('Null where it was not answered.'),
    reason: text.nullable().describe('Why it failed, in a word; null where it did not.'),
    duration_seconds: seconds.nullable(),
  }),
  event('job-refused', 'A job was not executed.', { job: text, message }),
  event('jobs-stalled', 'Jobs whose worker gave no sign of life are in the queue again.', {
    jobs: z.array(text),
  }),
  event('worker-draining', 'A worker takes nothing more, and ends when it has nothing in hand.', {
    in_hand: count,
  }),
  event('worker-ended', 'The last line of a worker.', {}),
] as const;

/** A line of Millrace. */
export const logLineSchema = z.discriminatedUnion('event', [...logEvents, ...workerEvents]);

type OwnFields<Line> = Line extends unknown ? Omit<Line, keyof typeof commonFields> : never;
/** The fields of an event's line, without those that all have. */
export type LogFields = OwnFields<z.infer<typeof logLineSchema>>;
