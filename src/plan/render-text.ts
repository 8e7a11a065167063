import { describeFailure } from '../domain/failure-message.ts';
import type { Conflict, Forecast, Plan, PlannedTravel } from '../domain/plan.ts';
import { declaredReservation, type Reservation, type Source } from '../domain/workstream.ts';
import { megabytes, processors, reservationText } from '../text/amounts.ts';
import { plural, seconds } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import { groupByWave } from './graph.ts';

/** Most ids on a line, lines of a section, and characters of an id and of a message, so that any plan stays readable. */
const IDS = 8;
const LINES = 20;
const ID_WIDTH = 60;
const MESSAGE_WIDTH = 300;

/** For a person: counts, waves, critical path, conflicts, warnings, and last what will be skipped and what can't run. */
export function renderText(forecast: Forecast): string {
  const { plan, skipped } = forecast;
  const waves = groupByWave(plan.waveOf);
  return [
    summary(forecast, waves.length),
    section('Waves (each needs only those before it)', waveLines(plan, waves)),
    section(`Critical path (${seconds(plan.criticalPath.seconds)} expected)`, criticalPath(plan)),
    section('Never at the same time', conflicts(plan.conflicts)),
    section('Processors and memory', reservations(forecast)),
    section('Sandbox', containing(forecast)),
    section('Hosts', travelling(forecast)),
    warnings(plan),
    section('Will be skipped', notExecuted(skipped)),
    section(
      "Can't run",
      notExecuted(plan.broken.map((one) => ({ ...one, message: describeFailure(one.failure) }))),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function summary({ plan: { workstreams, broken }, skipped, kept }: Forecast, waves: number): string {
  const parts = [
    `${plural(workstreams.length, 'workstream')} in ${plural(waves, 'wave')}`,
    ...(skipped.length === 0 ? [] : [`${skipped.length} more will be skipped`]),
    ...(broken.length === 0 ? [] : [`${broken.length} more can't run`]),
  ];
  const stays =
    kept === null
      ? ''
      : `Of the interrupted run stay: ${kept.completed} completed, ${kept.failed} failed, ${kept.skipped} skipped\n`;
  return `${parts.join('; ')}\n${stays}`;
}

/** Title and indented lines; nothing at all without lines. */
function section(title: string, lines: string[]): string {
  return lines.length === 0 ? '' : `${[title, ...lines.map((line) => `  ${line}`)].join('\n')}\n`;
}

function waveLines(plan: Plan, waves: readonly number[][]): string[] {
  const shown = waves.slice(0, LINES);
  const width = String(shown.length).length;
  const lines = shown.map((wave, number) => {
    const ids = wave.slice(0, IDS).map((index) => plan.workstreams[index]?.id ?? '');
    return `${String(number + 1).padStart(width)}  ${list(ids, wave.length)}`;
  });
  const rest = waves.slice(LINES);
  if (rest.length === 0) return lines;
  const left = rest.reduce((sum, wave) => sum + wave.length, 0);
  return [...lines, `… ${plural(rest.length, 'more wave')} with ${plural(left, 'workstream')}`];
}

function criticalPath(plan: Plan): string[] {
  const { ids } = plan.criticalPath;
  if (ids.length === 0) return [];
  const secondsOf = new Map(plan.workstreams.map(({ id }, index) => [id, plan.expectedSeconds[index] ?? 0]));
  const name = (id: string): string => `${short(id)} (${seconds(secondsOf.get(id) ?? 0)})`;
  const path =
    ids.length <= IDS
      ? ids.map(name)
      : [
          ...ids.slice(0, IDS / 2).map(name),
          `… ${ids.length - IDS} more …`,
          ...ids.slice(-IDS / 2).map(name),
        ];
  return [path.join(' → '), knowledge(plan)];
}

function knowledge({ known, workstreams }: Plan): string {
  if (known === 0) return 'No duration is known from earlier runs; each counts as 1 s.';
  if (known === workstreams.length) return 'All durations are known from earlier runs.';
  return `${known} of ${plural(workstreams.length, 'duration')} known from earlier runs; the others count as their median.`;
}

function conflicts(all: readonly Conflict[]): string[] {
  const alone = all.filter(({ kind }) => kind === 'alone').flatMap(({ members }) => members);
  const lines = capped(
    all.filter(({ kind }) => kind !== 'alone'),
    'conflict',
    ({ kind, what, members }) => {
      const name = kind === 'scope' ? `scope ${short(what)}` : `group ${short(what)}`;
      return `${name}: ${list(members.slice(0, IDS), members.length)}`;
    },
  );
  return alone.length === 0 ? lines : [...lines, `alone: ${list(alone.slice(0, IDS), alone.length)}`];
}

/** Most of the largest reservations that are named. */
const LARGEST = 5;

function reservations({ plan, reserved }: Forecast): string[] {
  if (reserved === null) return [];
  const { capacity, workstreams, mostAtOnce } = reserved;
  const given = (isGiven: boolean): string => (isGiven ? '' : ' (this machine)');
  const room = `${processors(capacity.cpus)}${given(capacity.given.cpus)} and ${megabytes(capacity.memoryMb)}${given(capacity.given.memoryMb)}`;
  const bound =
    mostAtOnce < plan.workstreams.length
      ? `at most ${plural(mostAtOnce, 'workstream')} at the same time`
      : 'all of them fit at the same time';
  return [
    `${workstreams} of ${plural(plan.workstreams.length, 'workstream')} reserve some of ${room}: ${bound}`,
    ...largest(plan).map(({ id, need }) => `${short(id)}: ${reservationText(need)}`),
  ];
}

function containing({ contained }: Forecast): string[] {
  if (contained === null) return [];
  const { workstreams, limitedNetworks, obstacle } = contained;
  const limited = limitedNetworks === 0 ? '' : `, ${limitedNetworks} of them with a limited network`;
  return [
    `${plural(workstreams.length, 'workstream')} ${workstreams.length === 1 ? 'is' : 'are'} contained with bwrap${limited}: ${list(workstreams.slice(0, IDS), workstreams.length)}`,
    obstacle === null
      ? 'This machine can contain them.'
      : `A run on this machine refuses them (sandbox-unavailable): ${oneLine(obstacle, 2 * MESSAGE_WIDTH)}`,
  ];
}

function travelling({ travelling: travel }: Forecast): string[] {
  if (travel === null) return [];
  const { leftOut, missing, obstacle } = travel;
  return [
    whatTravels(travel),
    ...capped(leftOut, 'file', ({ path, why }) => oneLine(`Hosts do not get ${path}: ${why}`, MESSAGE_WIDTH)),
    ...capped(missing, 'line', ({ id, what }) => `${short(id)} ${oneLine(what, MESSAGE_WIDTH)}`),
    ...(obstacle === null ? [] : [`A run refuses to begin: ${oneLine(obstacle, 2 * MESSAGE_WIDTH)}`]),
  ];
}

function whatTravels({ source, snapshot }: PlannedTravel): string {
  if (source === 'shared') return "Each host has the project's folder at the same path; nothing travels.";
  if (source === 'git') return 'Each host fetches the commit that is checked out here; no file travels.';
  if (snapshot === null) return "The project's files can't travel.";
  const { files, bytes, compressedBytes } = snapshot;
  return `${plural(files, 'file')} ${files === 1 ? 'travels' : 'travel'}, ${size(compressedBytes)} compressed (${size(bytes)} before).`;
}

const size = (bytes: number): string =>
  bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** Those that need most, by processors and then by memory. */
function largest({ workstreams }: Plan): { id: string; need: Reservation }[] {
  const declared = workstreams.flatMap((workstream) => {
    const need = declaredReservation(workstream);
    return need === null ? [] : [{ id: workstream.id, need }];
  });
  return declared
    .toSorted(
      (a, b) => (b.need.cpus ?? 0) - (a.need.cpus ?? 0) || (b.need.memoryMb ?? 0) - (a.need.memoryMb ?? 0),
    )
    .slice(0, LARGEST);
}

function warnings({ problems }: Plan): string {
  const count = problems.filter(({ severity }) => severity === 'warning').length;
  return count === 0 ? '' : `${plural(count, 'warning')}; \`millrace validate\` lists them.\n`;
}

interface NotExecutedLine {
  id: string;
  source: Source;
  message: string;
}

function notExecuted(all: readonly NotExecutedLine[]): string[] {
  return capped(all, 'workstream', ({ id, source, message }) => {
    const place = oneLine(source.file, MESSAGE_WIDTH);
    return `${short(id)} (${place}): ${oneLine(message, MESSAGE_WIDTH)}`;
  });
}

function capped<T>(items: readonly T[], noun: string, line: (item: T) => string): string[] {
  const lines = items.slice(0, LINES).map(line);
  return items.length <= LINES ? lines : [...lines, `… ${plural(items.length - LINES, `more ${noun}`)}`];
}

function list(shown: readonly string[], total: number): string {
  const left = total > shown.length ? [`… ${total - shown.length} more`] : [];
  return [...shown.map(short), ...left].join(', ');
}

const short = (id: string): string => oneLine(id, ID_WIDTH);
