/** What Prometheus reads: text with few time series, whatever runs there are. */
import type { MetricCounts } from '../store/read/live/metrics.ts';

/** Everything that is told, by the name of its counts. No label is an id, so that the number of series is bounded. */
const FAMILIES = [
  { name: 'runs', type: 'gauge', help: 'Runs in the database by state.' },
  { name: 'workstreams', type: 'gauge', help: 'Results in the database by status and reason.' },
  {
    name: 'running',
    type: 'gauge',
    help: 'Workstreams that are being executed.',
    shown: 'workstreams_running',
  },
  { name: 'agents', type: 'gauge', help: 'Agents of runs that are under way.' },
  {
    name: 'duration',
    type: 'histogram',
    help: 'Durations of workstreams that completed or failed, in seconds.',
    shown: 'workstream_duration_seconds',
    parts: ['_bucket', '_sum', '_count'],
  },
  { name: 'cost_usd', type: 'gauge', help: 'US dollars that tools report, by tool.' },
  { name: 'tokens', type: 'gauge', help: 'Tokens that tools report, by tool and direction.' },
] as const;

/** The text format of Prometheus, version 0.0.4. */
export function metricsText(counts: MetricCounts): string {
  const samples = Array.from(counts, ([key, value]) => {
    const [name, labels]: [string, Record<string, string>] = JSON.parse(key);
    return { name, labels, value };
  });
  const lines = FAMILIES.flatMap((family) => {
    const full = `millrace_${'shown' in family ? family.shown : family.name}`;
    const parts = 'parts' in family ? family.parts : [''];
    const own = parts.flatMap((part) =>
      samples
        .filter(({ name }) => name === family.name + part)
        .toSorted(part === '_bucket' ? byBound : byLabels)
        .map(({ labels, value }) => `${full}${part}${labelText(labels)} ${value}`),
    );
    return [`# HELP ${full} ${family.help}`, `# TYPE ${full} ${family.type}`, ...own];
  });
  return `${lines.join('\n')}\n`;
}

interface Labelled {
  labels: Record<string, string>;
}

const byLabels = (a: Labelled, b: Labelled): number => (labelText(a.labels) < labelText(b.labels) ? -1 : 1);
const boundOf = ({ labels }: Labelled): number =>
  labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
const byBound = (a: Labelled, b: Labelled): number => (boundOf(a) < boundOf(b) ? -1 : 1);

/** A value may have any character; those with a meaning are escaped. */
function labelText(labels: Record<string, string>): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return texts.length === 0 ? '' : `{${texts.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll(/[\\"\n]/g, (char) => (char === '\n' ? String.raw`\n` : `\\${char}`));
