/**
 * Reads what happened to workstreams over many runs.
 *
 * No index over all runs is used, which every new result would have to be sorted into: each run of the history is asked for
 * the workstreams that matter, or read as a whole from the index of its results, whichever is less.
 */

import { isEvidence } from '../../domain/failure.ts';
import type {
  ComparedResult,
  ComparedRun,
  DurationHistory,
  DurationSample,
  Observation,
  ResultCircumstances,
  RunRef,
} from '../../domain/history/history.ts';
import type { Connection } from '../schema/connection.ts';
import { type HistoricRun, withoutResult } from './history-runs.ts';
import { PATTERN_OF_ATTEMPT, PATTERN_OF_ERROR } from './patterns.ts';
import { allCells, countOf, eachCells } from './rows.ts';
import { runStatus } from './run-status.ts';

/** What happened to one workstream in one of the runs. */
interface Episode {
  what: 'passed' | 'failed' | 'not-run';
  definitionHash: string | null;
  /** Ids of the patterns that it failed with, and that earlier attempts did where a later one passed. */
  patterns: Set<string>;
  healed: Set<string>;
}

/** A workstream that failed with a pattern, in one of the runs or at an attempt of it. */
export interface SeenFailure {
  workstreamId: string;
  patternId: string;
  /** The failure's reason, and what its messages have in common. */
  type: string;
  pattern: string;
}

/** What happened in these runs. Each workstream is read once. */
export class RunHistory {
  /** The oldest first. */
  readonly runs: readonly HistoricRun[];
  readonly #connection: Connection;
  readonly #runIds: string;
  readonly #episodes = new Map<string, (Episode | null)[]>();

  constructor(connection: Connection, runs: readonly HistoricRun[]) {
    this.#connection = connection;
    this.runs = runs;
    this.#runIds = JSON.stringify(runs.map(({ run }) => run.runId));
  }

  /**
   * What happened to a workstream in each of the runs, in respect of a pattern.
   * @param patternId null for failures without a pattern.
   */
  observations(workstreamId: string, patternId: string | null): Observation[] {
    const episodes = this.#episodes.get(workstreamId) ?? this.#look(workstreamId);
    return this.runs.map(({ run }, position) => {
      const { definitionHash, what, patterns, healed } = episodes[position] ?? NOT_RUN;
      if (what !== 'failed')
        return { run, definitionHash, what, healed: patternId !== null && healed.has(patternId) };
      const isSo = patternId === null ? patterns.size === 0 : patterns.has(patternId);
      return { run, definitionHash, what: isSo ? 'failed-so' : 'failed-otherwise', healed: false };
    });
  }

  /** Every failure that was seen in the runs and is evidence, once each, in the order in which they were first seen. */
  seenFailures(): SeenFailure[] {
    const seen = new Map<string, SeenFailure>();
    for (const sql of [ALL_ERRORS, ALL_HEALED]) {
      for (const [, id, patternId, type, template] of eachCells(this.#connection, sql, this.#runIds)) {
        if (!isEvidence(String(type))) continue;
        const failure = {
          workstreamId: String(id),
          patternId: String(patternId),
          type: String(type),
          pattern: String(template),
        };
        const key = `${failure.patternId} ${failure.workstreamId}`;
        if (!seen.has(key)) seen.set(key, failure);
      }
    }
    return [...seen.values()];
  }

  /**
   * Results in which patterns were seen or could have been: those of the workstreams that ever failed so and, where one of
   * these used a tool, of all that did.
   * @param patternIds null for all patterns.
   */
  circumstances(patternIds: readonly string[] | null): ResultCircumstances[] {
    const failed = this.#failuresWith(patternIds);
    const ids = [...new Set(failed.flatMap((each) => [...each.keys()]))];
    const told = this.#resultsOf(ids).map((cells) => toCircumstances(cells, failed));
    if (told.every(({ tool, model }) => tool === null && model === null)) return told;
    const known = new Set(ids);
    const others = allCells(this.#connection, WITH_TOOL, this.#runIds).filter(
      ([, id]) => !known.has(String(id)),
    );
    return [...told, ...others.map((cells) => toCircumstances(cells, failed))].toSorted(
      (a, b) => a.position - b.position,
    );
  }

  /** For each run the ids of the workstreams that failed so, with those of the patterns. */
  #failuresWith(patternIds: readonly string[] | null): Map<string, string[]>[] {
    const failed = this.runs.map(() => new Map<string, string[]>());
    for (const [position, id, patternId] of this.#errorsWith(patternIds)) {
      const run = failed[position];
      const known = run?.get(id);
      if (known === undefined) run?.set(id, [patternId]);
      else if (!known.includes(patternId)) known.push(patternId);
    }
    return failed;
  }

  /** Position of the run, id of the workstream, id of the pattern. */
  *#errorsWith(patternIds: readonly string[] | null): Generator<[number, string, string], void, undefined> {
    // A pattern without shapes is of errors that no end of a run has taken in yet.
    if (patternIds === null || countOf(this.#connection, WITHOUT_SHAPES, JSON.stringify(patternIds)) > 0) {
      for (const [at, id, patternId, type] of eachCells(this.#connection, ALL_ERRORS, this.#runIds)) {
        const pattern = String(patternId);
        if (isEvidence(String(type)) && patternIds?.includes(pattern) !== false)
          yield [Number(at), String(id), pattern];
      }
      return;
    }
    const positions = new Map(this.runs.map(({ run }, position) => [run.runId, position]));
    const [first = '', ...others] = [...positions.keys()].toSorted();
    const range = [first, others.at(-1) ?? first] as const;
    for (const [runId, id, patternId] of eachCells(
      this.#connection,
      ERRORS_WITH,
      JSON.stringify(patternIds),
      ...range,
    )) {
      const position = positions.get(String(runId));
      if (position !== undefined) yield [position, String(id), String(patternId)];
    }
  }

  /** Results of these workstreams in each run, of those that were executed. */
  #resultsOf(ids: readonly string[]): (readonly unknown[])[] {
    const wanted = JSON.stringify(ids);
    return this.runs.flatMap(({ run, executed }, position) => {
      const sql = ids.length * LOOK_UP < executed ? SOME_EXECUTED : EXECUTED;
      return allCells(this.#connection, sql, position, wanted, run.runId);
    });
  }

  /** Reads many workstreams at once, where that takes less time than one by one. */
  preload(workstreamIds: Iterable<string>): void {
    const wanted = new Set(workstreamIds);
    const results = this.runs.reduce((sum, { executed }) => sum + executed, 0);
    if (wanted.size * this.runs.length * LOOK_UP < results) return;
    for (const id of wanted) this.#begin(id);
    for (const [position, { run }] of this.runs.entries()) {
      for (const [id, status, hash, duration] of eachCells(this.#connection, RUN_RESULTS, run.runId)) {
        const episodes = this.#episodes.get(String(id));
        if (episodes !== undefined) episodes[position] = episodeOf(status, hash, duration);
      }
    }
    for (const [sql, kind] of [
      [ALL_ERRORS, 'patterns'],
      [ALL_HEALED, 'healed'],
    ] as const) {
      for (const [at, id, patternId, type] of eachCells(this.#connection, sql, this.#runIds)) {
        const episode = this.#episodes.get(String(id))?.[Number(at)];
        if (episode) note(episode, kind, { patternId, type });
      }
    }
  }

  /** Reads one workstream. */
  #look(workstreamId: string): readonly (Episode | null)[] {
    const episodes = this.#begin(workstreamId);
    const results = allCells(this.#connection, RESULTS, this.#runIds, workstreamId);
    for (const [at, status, hash, duration, attempts] of results) {
      const position = Number(at);
      const episode = episodeOf(status, hash, duration);
      episodes[position] = episode;
      const isTriedAgain = typeof attempts === 'number' && attempts > 1;
      const sql = episode.what === 'failed' ? ERRORS : isTriedAgain ? HEALED : null;
      if (sql === null) continue;
      const kind = episode.what === 'failed' ? 'patterns' : 'healed';
      const runId = this.runs[position]?.run.runId ?? '';
      for (const [, , patternId, type] of allCells(
        this.#connection,
        sql,
        JSON.stringify([runId]),
        workstreamId,
      ))
        note(episode, kind, { patternId, type });
    }
    return episodes;
  }

  #begin(workstreamId: string): (Episode | null)[] {
    const episodes = this.runs.map((): Episode | null => null);
    this.#episodes.set(workstreamId, episodes);
    return episodes;
  }

  /** Ids of the workstreams that completed in the last of the runs and took at least so many seconds. */
  longerInLastRun(seconds: number): string[] {
    const last = this.runs.at(-1);
    if (last === undefined) return [];
    return [...eachCells(this.#connection, LONG, last.run.runId, seconds)].map(([id]) => String(id));
  }

  /**
   * How long workstreams took in the runs in which they completed. Seconds are without the time in which their thread
   * waited for a processor, where that is known.
   * @param only ids of those that are asked for; null for all.
   */
  durations(only: readonly string[] | null): DurationHistory {
    const samples = new Map<string, DurationSample[]>();
    const wanted = only === null ? null : new Set(only);
    const ids = JSON.stringify(only ?? []);
    for (const [position, { run, executed }] of this.runs.entries()) {
      const isFew = only !== null && only.length * LOOK_UP < executed;
      const cells = isFew
        ? eachCells(this.#connection, SOME_DURATIONS, ids, run.runId)
        : eachCells(this.#connection, DURATIONS, run.runId);
      for (const [id, hash, duration, waited] of cells) {
        if (typeof id !== 'string' || typeof duration !== 'number' || wanted?.has(id) === false) continue;
        const seconds = Math.max(0, duration - (typeof waited === 'number' ? waited : 0));
        const sample = { position, definitionHash: typeof hash === 'string' ? hash : null, seconds };
        const earlier = samples.get(id);
        if (earlier === undefined) samples.set(id, [sample]);
        else earlier.push(sample);
      }
    }
    return { runs: this.runs, samples };
  }
}

function episodeOf(status: unknown, hash: unknown, duration: unknown): Episode {
  return {
    what: whatHappened(String(status), duration),
    definitionHash: typeof hash === 'string' ? hash : null,
    patterns: new Set(),
    healed: new Set(),
  };
}

/** Adds a failure to an episode. One that a person stopped was, as far as it is known, never run. */
function note(
  episode: Episode,
  kind: 'patterns' | 'healed',
  { patternId, type }: { patternId: unknown; type: unknown },
): void {
  if (isEvidence(String(type))) episode[kind].add(String(patternId));
  else if (kind === 'patterns') episode.what = 'not-run';
}

const NOT_RUN: Episode = {
  what: 'not-run',
  definitionHash: null,
  patterns: new Set<string>(),
  healed: new Set<string>(),
};

/** One that a person marked as done was not executed. */
function whatHappened(status: string, duration: unknown): Episode['what'] {
  const final = runStatus(status);
  if (final === 'skipped' || (final === 'completed' && duration === null)) return 'not-run';
  return final === 'completed' ? 'passed' : 'failed';
}

const RESULT_CELLS = 'r.status, r.definition_hash, r.duration_seconds';

const RESULTS = `
SELECT run.key, ${RESULT_CELLS}, r.attempts FROM json_each(?) run
CROSS JOIN agent_results r ON r.run_id = run.value AND r.workstream_id = ? AND r.attempts IS NOT NULL`;

const RUN_RESULTS = `SELECT r.workstream_id, ${RESULT_CELLS} FROM agent_results r WHERE r.run_id = ?`;

const errors = (condition: string): string => `
SELECT run.key, e.workstream_id, ${PATTERN_OF_ERROR.id}, ${PATTERN_OF_ERROR.type}, ${PATTERN_OF_ERROR.template}
FROM json_each(?) run CROSS JOIN consolidated_errors e ON e.run_id = run.value ${condition} ${PATTERN_OF_ERROR.join}`;

const ALL_ERRORS = errors('');
const ERRORS = errors('AND e.workstream_id = ?');

/** Attempts of results that failed are no episodes of their own. */
const IS_HEALED = `a.reason IS NOT NULL AND EXISTS (
  SELECT 1 FROM agent_results r WHERE r.run_id = a.run_id AND r.workstream_id = a.workstream_id
    AND r.attempts IS NOT NULL AND r.status = 'completed')`;

const attempts = (condition: string): string => `
SELECT run.key, a.workstream_id, ${PATTERN_OF_ATTEMPT.id}, ${PATTERN_OF_ATTEMPT.type}, ${PATTERN_OF_ATTEMPT.template}
FROM json_each(?) run CROSS JOIN workstream_attempts a ON a.run_id = run.value ${condition} ${PATTERN_OF_ATTEMPT.join}
WHERE ${IS_HEALED}`;

const ALL_HEALED = attempts('');
const HEALED = attempts('AND a.workstream_id = ?');

/** Errors of patterns by the index of their shapes, of a range of run ids. */
const ERRORS_WITH = `
SELECT e.run_id, e.workstream_id, s.pattern_id FROM json_each(?) wanted
CROSS JOIN error_shapes s ON s.pattern_id = wanted.value
CROSS JOIN consolidated_errors e ON e.shape_id = s.shape_id AND e.run_id BETWEEN ? AND ?`;

const WITHOUT_SHAPES = `
SELECT COUNT(*) AS n FROM json_each(?) wanted
WHERE NOT EXISTS (SELECT 1 FROM error_shapes s WHERE s.pattern_id = wanted.value)`;

/** What was not executed could not fail. */
const IS_EXECUTED = "r.status IN ('completed', 'failed') AND r.duration_seconds IS NOT NULL";

const CIRCUMSTANCES = 'r.workstream_id, r.agent_id, r.tool, r.model';

const SOME_EXECUTED = `
SELECT ?, ${CIRCUMSTANCES} FROM json_each(?) wanted CROSS JOIN agent_results r
ON r.workstream_id = wanted.value AND r.run_id = ? AND r.attempts IS NOT NULL WHERE ${IS_EXECUTED}`;

const EXECUTED = `
SELECT ?, ${CIRCUMSTANCES} FROM agent_results r
WHERE r.workstream_id IN (SELECT value FROM json_each(?)) AND r.run_id = ? AND ${IS_EXECUTED}`;

const WITH_TOOL = `
SELECT run.key, ${CIRCUMSTANCES} FROM json_each(?) run CROSS JOIN agent_results r
ON r.run_id = run.value AND r.tool IS NOT NULL WHERE ${IS_EXECUTED}`;

/** @param failed by run and workstream the ids of patterns. */
function toCircumstances(
  [position, id, agentId, tool, model]: readonly unknown[],
  failed: readonly ReadonlyMap<string, readonly string[]>[],
): ResultCircumstances {
  return {
    position: Number(position),
    workstreamId: String(id),
    agentId: String(agentId),
    tool: typeof tool === 'string' ? tool : null,
    model: typeof model === 'string' ? model : null,
    patternIds: failed[Number(position)]?.get(String(id)) ?? [],
  };
}

/** To look a result up takes about as long as to read so many in a row. */
const LOOK_UP = 4;

const DURATION_CELLS = 'r.workstream_id, r.definition_hash, r.duration_seconds, r.cpu_wait_seconds';

const DURATIONS = `SELECT ${DURATION_CELLS} FROM agent_results r WHERE r.run_id = ? AND r.status = 'completed'`;

const LONG = `
SELECT workstream_id FROM agent_results WHERE run_id = ? AND status = 'completed' AND duration_seconds >= ?`;

const SOME_DURATIONS = `
SELECT ${DURATION_CELLS} FROM json_each(?) wanted CROSS JOIN agent_results r
ON r.run_id = ? AND r.workstream_id = wanted.value AND r.attempts IS NOT NULL WHERE r.status = 'completed'`;

/** What became of each workstream of these runs, which have the oldest first; the last of them names them all. */
export function comparedRun(connection: Connection, runs: readonly RunRef[]): ComparedRun {
  const run = runs.at(-1);
  if (run === undefined) throw new RangeError('no run is compared with none');
  return { run, results: runs.flatMap(({ runId }) => comparedResults(connection, runId)) };
}

function comparedResults(connection: Connection, runId: string): ComparedResult[] {
  const { patterns: failures, stopped } = failuresIn(connection, ERRORS_OF_RUN, runId);
  const { patterns: healed } = failuresIn(connection, ATTEMPTS_OF_RUN, runId);
  const results: ComparedResult[] = [];
  for (const [id, cell, hash] of eachCells(connection, RESULTS_OF_RUN, runId)) {
    const workstreamId = String(id);
    const status = stopped.has(workstreamId) ? 'skipped' : runStatus(String(cell));
    const definitionHash = typeof hash === 'string' ? hash : null;
    const one = { workstreamId, status, definitionHash, patternId: null, healed: [] };
    const patterns = failures.get(workstreamId);
    if (status === 'completed' && healed.has(workstreamId))
      results.push({ ...one, healed: [...(healed.get(workstreamId) ?? [])] });
    else if (status === 'failed' && patterns !== undefined)
      for (const patternId of patterns) results.push({ ...one, patternId });
    else results.push(one);
  }
  const none = { status: 'skipped' as const, definitionHash: null, patternId: null, healed: [] };
  return [...results, ...withoutResult(connection, runId).map((workstreamId) => ({ workstreamId, ...none }))];
}

const RESULTS_OF_RUN = 'SELECT workstream_id, status, definition_hash FROM agent_results WHERE run_id = ?';

const ERRORS_OF_RUN = `
SELECT e.workstream_id, ${PATTERN_OF_ERROR.id}, ${PATTERN_OF_ERROR.type}
FROM consolidated_errors e ${PATTERN_OF_ERROR.join} WHERE e.run_id = ?`;

const ATTEMPTS_OF_RUN = `
SELECT a.workstream_id, ${PATTERN_OF_ATTEMPT.id}, ${PATTERN_OF_ATTEMPT.type}
FROM workstream_attempts a ${PATTERN_OF_ATTEMPT.join} WHERE a.run_id = ? AND a.reason IS NOT NULL`;

/** What failed in a run, by workstream the ids of its patterns, and what somebody stopped. */
function failuresIn(
  connection: Connection,
  sql: string,
  runId: string,
): { patterns: Map<string, Set<string>>; stopped: Set<string> } {
  const patterns = new Map<string, Set<string>>();
  const stopped = new Set<string>();
  for (const [id, patternId, type] of eachCells(connection, sql, runId)) {
    const workstreamId = String(id);
    const known = patterns.get(workstreamId);
    if (!isEvidence(String(type))) stopped.add(workstreamId);
    else if (known === undefined) patterns.set(workstreamId, new Set([String(patternId)]));
    else known.add(String(patternId));
  }
  return { patterns, stopped };
}
