/**
 * What depends on what: at first only failures, what they hold back, and the critical path, and of many that are alike a few.
 * The drawing scrolls in a box.
 */
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { PageWorkstream } from '../domain/page-document.ts';
import { type Folded, folded } from './model/folds.ts';
import { count, oneLine, plural } from './model/format.ts';
import { layered } from './model/layers.ts';
import { isBad, MARK_WORDS, markOf, type Run, type WorkMark } from './model/run.ts';
import { Choice, MarkView, SectionView, TONE_OF_MARK, Words, WorkstreamLink } from './parts.tsx';
import { go, hrefOf, place } from './state.ts';
import { Table } from './table.tsx';

/** More boxes than this are no drawing any more. */
const MOST = 150;

const BOX = { width: 176, height: 32, across: 232, down: 42 };
const MARGIN = 12;

export function Graph({ run }: { run: Run }) {
  const view = useSignal<'chart' | 'table'>('chart');
  const connected = useMemo(() => connectedOf(run), [run]);
  if (connected.length === 0) return null;
  const isWhole = place.value.wholeGraph;
  const telling = useMemo(() => tellingOf(run, connected), [run, connected]);
  const wanted = isWhole ? connected : telling;
  const drawn = useMemo(() => (isWhole ? wanted.map(alone) : foldedOf(run, wanted)), [run, wanted, isWhole]);
  const shown = drawn.slice(0, MOST);
  const isFolded = shown.some(({ stands }) => stands.length > 0);
  const there = shown.reduce((sum, { stands }) => sum + Math.max(1, stands.length), 0);
  const isCut = there < connected.length;
  return (
    <SectionView
      id="graph"
      title="Graph"
      note={
        isCut
          ? `${count(there)} of ${count(connected.length)}: ${isWhole ? 'the first' : 'failures, what they hold back, and the critical path'}`
          : plural(connected.length, 'workstream')
      }
      actions={
        <>
          {(isWhole || isFolded || telling.length < connected.length) && (
            <button
              type="button"
              class="b"
              aria-pressed={isWhole}
              onClick={() => go({ wholeGraph: !isWhole })}
            >
              {isWhole
                ? 'Only what tells'
                : `Show ${connected.length > MOST ? `the first ${MOST}` : `all ${connected.length}`}`}
            </button>
          )}
          <Choice
            label="Graph as"
            value={view.value}
            choices={[
              ['chart', 'Chart'],
              ['table', 'Table'],
            ]}
            onChoice={(choice) => (view.value = choice)}
          />
        </>
      }
    >
      <div class="card">
        {view.value === 'chart' ? (
          <Drawing run={run} shown={shown} />
        ) : (
          <DependencyTable run={run} rows={wanted} />
        )}
      </div>
    </SectionView>
  );
}

const alone = ({ id, dependsOn }: PageWorkstream): Folded => ({ id, dependsOn, stands: [] });

function foldedOf(run: Run, wanted: readonly PageWorkstream[]): Folded[] {
  const critical = new Set(run.critical);
  return folded(
    wanted.map((each) => ({ ...each, kind: `${markOf(each)}${critical.has(each.id) ? ' critical' : ''}` })),
  );
}

/** Workstreams that depend on something, or something on them. */
const connectedOf = (run: Run): PageWorkstream[] =>
  run.workstreams.filter(({ id, dependsOn }) => dependsOn.length > 0 || run.dependents.has(id));

/** Failures with what they need and hold back, and the critical path; everything where that is little, or all. */
function tellingOf(run: Run, connected: readonly PageWorkstream[]): readonly PageWorkstream[] {
  if (connected.length <= 20) return connected;
  const wanted = new Set(run.critical);
  for (const each of connected) {
    if (!isBad(markOf(each))) continue;
    wanted.add(each.id);
    for (const id of run.heldBack.get(each.id) ?? []) wanted.add(id);
  }
  const found = connected.filter(({ id }) => wanted.has(id));
  return found.length === 0 ? connected : found;
}

function Drawing({ run, shown }: { run: Run; shown: readonly Folded[] }) {
  const box = useRef<HTMLDivElement>(null);
  const layout = useMemo(() => layered(shown), [shown.map(({ id }) => id).join('\n')]);
  const standsFor = new Map(shown.map(({ id, stands }) => [id, stands.length]));
  // The box keeps the focus that what stood for the others had.
  const unfold = (event: Event): void => {
    event.preventDefault();
    go({ wholeGraph: true });
    box.current?.focus({ preventScroll: true });
  };
  const placeOf = new Map(
    layout.nodes.map(({ id, layer, row }) => [
      id,
      { x: MARGIN + layer * BOX.across, y: MARGIN + row * BOX.down },
    ]),
  );
  const width = 2 * MARGIN + (layout.layers - 1) * BOX.across + BOX.width;
  const height = 2 * MARGIN + (layout.rows - 1) * BOX.down + BOX.height;
  const onPath = new Set(run.critical.slice(1).map((id, index) => `${run.critical[index]}\n${id}`));
  return (
    <div class="tw graph-box pad" ref={box} tabIndex={0} role="region" aria-label="Graph of dependencies">
      <svg
        class="graph"
        width={width}
        height={height}
        role="group"
        aria-label="Dependencies, from left to right"
      >
        {layout.edges.map(([from, to]) => {
          const start = placeOf.get(from);
          const end = placeOf.get(to);
          if (start === undefined || end === undefined) return null;
          const isBlocked = run.byId.get(to)?.status === 'skipped';
          const name = onPath.has(`${from}\n${to}`) ? 'edge critical' : isBlocked ? 'edge blocked' : 'edge';
          const [x1, y1, x2, y2] = [
            start.x + BOX.width,
            start.y + BOX.height / 2,
            end.x,
            end.y + BOX.height / 2,
          ];
          const bend = Math.max(24, (x2 - x1) / 2);
          return (
            <path
              key={`${from}\n${to}`}
              class={name}
              d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
            />
          );
        })}
        {layout.nodes.map(({ id }) => {
          const at = placeOf.get(id);
          const workstream = run.byId.get(id);
          if (at === undefined || workstream === undefined) return null;
          const folds = standsFor.get(id) ?? 0;
          if (folds > 0)
            return <MoreBox key={id} {...at} count={folds} mark={markOf(workstream)} onOpen={unfold} />;
          return (
            <Box key={id} workstream={workstream} x={at.x} y={at.y} isCritical={run.critical.includes(id)} />
          );
        })}
      </svg>
    </div>
  );
}

function Box({
  workstream,
  x,
  y,
  isCritical,
}: {
  workstream: PageWorkstream;
  x: number;
  y: number;
  isCritical: boolean;
}) {
  const mark = markOf(workstream);
  const tone = TONE_OF_MARK[mark];
  return (
    <a href={hrefOf({ kind: 'workstream', id: workstream.id })}>
      <title>{`${oneLine(workstream.id, 80)}, ${mark}: ${oneLine(workstream.title, 120)}`}</title>
      <rect
        class={`node ${tone}${isCritical ? ' critical' : ''}`}
        x={x}
        y={y}
        width={BOX.width}
        height={BOX.height}
        rx={6}
      />
      <MarkGlyph x={x + 16} y={y + BOX.height / 2} tone={tone} />
      <text x={x + 30} y={y + BOX.height / 2 + 4}>
        {oneLine(workstream.id, 20)}
      </text>
    </a>
  );
}

interface MoreProps {
  x: number;
  y: number;
  count: number;
  mark: WorkMark;
  onOpen: (event: Event) => void;
}

/** In the place of several that are alike. */
function MoreBox({ x, y, count: folds, mark, onOpen }: MoreProps) {
  const text = `${count(folds)} more ${MARK_WORDS[mark]}`;
  return (
    <a
      class="more"
      href={hrefOf({ kind: 'run', section: 'graph' })}
      aria-label={`${text}: show`}
      onClick={onOpen}
    >
      <rect class={`node ${TONE_OF_MARK[mark]}`} x={x} y={y} width={BOX.width} height={BOX.height} rx={6} />
      <MarkGlyph x={x + 16} y={y + BOX.height / 2} tone={TONE_OF_MARK[mark]} />
      <text x={x + 30} y={y + BOX.height / 2 + 4}>
        {text}
      </text>
    </a>
  );
}

function MarkGlyph({ x, y, tone }: { x: number; y: number; tone: string }) {
  if (tone === 'done') return <path class="glyph done" d={`M${x - 5} ${y}l3.5 3.5 6-7`} />;
  if (tone === 'skip') return <path class="glyph skip" d={`M${x - 5} ${y}h10`} />;
  return <path class={`glyph ${tone}`} d={`M${x - 4} ${y - 4}l8 8m0-8l-8 8`} />;
}

function DependencyTable({ run, rows }: { run: Run; rows: readonly PageWorkstream[] }) {
  const names = (ids: readonly string[]) => (
    <span class="q2">
      <Words text={ids.slice(0, 6).join(', ')} length={160} />
      {ids.length > 6 && ` and ${count(ids.length - 6)} more`}
    </span>
  );
  return (
    <Table
      label="Dependencies"
      columns={[
        { key: 'state', title: 'State', cell: (each) => <MarkView mark={markOf(each)} /> },
        { key: 'id', title: 'Workstream', class: 'full', cell: ({ id }) => <WorkstreamLink id={id} /> },
        { key: 'needs', title: 'Needs', class: 'full', cell: ({ dependsOn }) => names(dependsOn) },
        {
          key: 'neededBy',
          title: 'Needed by',
          class: 'full',
          cell: ({ id }) => names(run.dependents.get(id) ?? []),
        },
      ]}
      rows={rows}
      keyOf={({ id }) => id}
    />
  );
}
