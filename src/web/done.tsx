/** What was done: a row a workstream, or a task of a coding agent, that can be searched, filtered, sorted and opened. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageWorkstream } from '../domain/page-document.ts';
import { plainColumns, taskColumns, toggle } from './done-columns.tsx';
import { drawnFor } from './drawing.tsx';
import { FilterRow } from './filters.tsx';
import { MARK_GLYPHS } from './icons.tsx';
import { runCommand } from './model/commands.ts';
import { count, duration, oneLine, percent, plural, shown } from './model/format.ts';
import { isInState, rowsOf, STATE_WORDS, STATES, type State } from './model/rows.ts';
import { computedShare, type EndMark, markOf, type Run } from './model/run.ts';
import {
  Command,
  CopyButton,
  LogLink,
  MarkView,
  SectionView,
  Sentence,
  TONE_OF_MARK,
  Words,
  WorkstreamLink,
} from './parts.tsx';
import { go, place } from './state.ts';
import { csvOf, type PageColumn, Table } from './table.tsx';

/** Rows that are there at first, where nothing is asked for; of them those that completed. */
const FIRST = 30;
const FIRST_COMPLETED = 16;

interface DoneProps {
  run: Run;
  /** Of a run under way: what has ended so far. */
  soFar?: ComponentChildren;
}

export function Done({ run, soFar }: DoneProps) {
  const { query, states, sort, all } = place.value;
  const rows = useMemo(() => rowsOf(run, { query, states, sort }), [run, query, states, sort]);
  const columns = useMemo(() => (run.kind === 'tasks' ? taskColumns(run) : plainColumns(run)), [run]);
  const isAsked = query !== '' || states.length > 0 || sort !== null || all;
  if (run.workstreams.length === 0 && soFar === undefined) return null;
  const noun = run.kind === 'tasks' ? 'task' : 'workstream';
  return (
    <SectionView
      id="done"
      title={soFar !== undefined ? 'Ended so far' : run.kind === 'tasks' ? 'Tasks' : 'What was done'}
      note={`${plural(soFar === undefined ? run.head.run.totals.workstreams : run.workstreams.length, noun)}${isAsked ? '' : '; what needs you first'}`}
      actions={
        <>
          {soFar}
          <CopyButton glyph="copy" text={() => csvOf(columns, rows)}>
            Copy CSV
          </CopyButton>
        </>
      }
    >
      <DoneCard run={run} rows={rows} columns={columns} isAsked={isAsked} />
    </SectionView>
  );
}

interface CardProps {
  run: Run;
  rows: readonly PageWorkstream[];
  columns: readonly PageColumn<PageWorkstream>[];
  /** Whether some of the rows, or all of them, are asked for. */
  isAsked: boolean;
}

function Card({ run, rows, columns, isAsked }: CardProps) {
  const { sort, open } = place.value;
  const shown = useMemo(() => (isAsked ? rows : firstOf(rows)), [isAsked, rows]);
  const isOpen = new Set(open);
  const { omitted } = run.document;
  return (
    <div class="card">
      <Filters run={run} found={rows.length} />
      {run.workstreams.length === 0 ? (
        <p class="pad q2">Nothing has ended so far.</p>
      ) : rows.length === 0 ? (
        <p class="pad q2">
          Nothing matches.{' '}
          <button type="button" class="link" onClick={() => go({ query: '', states: [] })}>
            Show all {count(run.workstreams.length)}
          </button>
        </p>
      ) : (
        <Table
          label="Table of workstreams"
          columns={columns}
          rows={shown}
          keyOf={({ id }) => id}
          rowClass={(row) => `is-${TONE_OF_MARK[markOf(row)]}`}
          sort={sort}
          onSort={(next) => go({ sort: next })}
          opened={(row) => (isOpen.has(row.id) ? <Opened run={run} workstream={row} /> : null)}
          onOpen={(row) => toggle(row.id, rows.length)}
          commandOf={({ id }) => runCommand([id])}
        />
      )}
      {shown.length < rows.length && (
        <p class="more-row">
          {plural(rows.length - shown.length, 'more workstream')}
          <button type="button" class="b" onClick={() => go({ all: true })}>
            Show all {count(rows.length)}
          </button>
        </p>
      )}
      {omitted !== null && (
        <div class="more-row">
          <span>
            {plural(omitted.workstreams, 'workstream')} not on this page: {omitted.why}
          </span>
          <Command command={omitted.command} />
        </div>
      )}
    </div>
  );
}

/** Of a run under way what is listed stays the same, while how much is not listed changes four times a second. */
const DoneCard = drawnFor(Card, ({ run, rows, columns, isAsked }: CardProps) => [
  run,
  rows,
  columns,
  isAsked,
]);

function firstOf(rows: readonly PageWorkstream[]): readonly PageWorkstream[] {
  let completed = 0;
  const kept = rows.filter((each) => markOf(each) !== 'completed' || ++completed <= FIRST_COMPLETED);
  return rows.length - Math.min(FIRST, kept.length) < 5 ? rows : kept.slice(0, FIRST);
}

function Filters({ run, found }: { run: Run; found: number }) {
  const all = run.workstreams.length;
  return (
    <FilterRow
      label="Filter the workstreams"
      field="Filter by id, title, error or name=value"
      placeholder={`Filter ${count(all)} by id, title, error`}
      all={all}
      found={found}
      states={STATES.map((state) => ({
        state,
        glyph: state === 'retried' ? 'again' : MARK_GLYPHS[state],
        word: capitalised(STATE_WORDS[state]),
        there: countIn(run, state),
      }))}
    />
  );
}

const capitalised = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

const counted = new WeakMap<Run, Map<State, number>>();

function countIn(run: Run, state: State): number {
  let counts = counted.get(run);
  if (counts === undefined) counted.set(run, (counts = new Map()));
  const known = counts.get(state);
  if (known !== undefined) return known;
  const value = run.workstreams.reduce((sum, each) => sum + (isInState(each, state) ? 1 : 0), 0);
  counts.set(state, value);
  return value;
}

/** A row that is open: attempts side by side, and what it is about. */
function Opened({ run, workstream }: { run: Run; workstream: PageWorkstream }) {
  const { id, explanation, tail, log, cpuWaitSeconds, title } = workstream;
  const computed = computedShare(workstream);
  const command = runCommand([id]);
  return (
    <div class="opened">
      {explanation !== null && (
        <p>
          <Sentence text={explanation} length={1000} />
        </p>
      )}
      <Attempts workstream={workstream} />
      {tail !== null && workstream.attemptCount < 2 && <pre tabIndex={0}>{shown(tail).trimEnd()}</pre>}
      <p class="q2">
        {computed !== null && `Computed ${percent(computed)} of its time. `}
        {cpuWaitSeconds !== null &&
          cpuWaitSeconds > 0.1 &&
          `Waited ${duration(cpuWaitSeconds)} for a processor. `}
        {run.critical.includes(id) && 'On the critical path. '}
        {log !== null && (
          <>
            <LogLink id={id} log={log}>
              Log
            </LogLink>
            {' · '}
          </>
        )}
        <WorkstreamLink id={id} title={`All of ${oneLine(title, 80)}`} class="" />
      </p>
      {command !== null && <Command command={command} />}
    </div>
  );
}

export function Attempts({ workstream }: { workstream: PageWorkstream }) {
  const { earlierAttempts, attemptCount, agentId, tool, reason, explanation, seconds, tail } = workstream;
  if (attemptCount < 2 && earlierAttempts.length === 0) return null;
  const endOf = (reason: string | null): EndMark => (reason === null ? 'completed' : 'failed');
  const attempts = [
    ...earlierAttempts.map((each) => ({
      ...each,
      text: each.explanation,
      mark: endOf(each.reason),
    })),
    {
      attempt: attemptCount,
      agentId,
      tool,
      reason,
      seconds,
      text: tail ?? explanation,
      mark: markOf(workstream),
    },
  ];
  return (
    <ol class="att">
      {attempts.map(({ attempt, mark, seconds: took, text, agentId: agent, tool: by, reason: why }) => (
        <li key={attempt}>
          <h3>
            <MarkView mark={mark === 'retried' ? 'completed' : mark} /> Attempt {attempt}
            <span class="q">{duration(took)}</span>
          </h3>
          {text !== null && text !== '' && <pre tabIndex={0}>{shown(text).trimEnd()}</pre>}
          <p class="q2">
            <Words text={[by ?? agent, ...(why === null ? [] : [why])].join(' · ')} length={100} />
          </p>
        </li>
      ))}
    </ol>
  );
}
