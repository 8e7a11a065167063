/** A strict reader of Prometheus' text format, version 0.0.4: throws for whatever the format does not allow. */

interface Family {
  type: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL}(?:,|(?=\\})))*)\\})? (\\S+)$`);

/** The families of a text by name. */
export function prometheusFamilies(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is there twice`);
      families.set(name, { type: '', samples: [] });
      current = name;
    } else if (keyword === 'TYPE') {
      const family = families.get(name);
      if (family === undefined || name !== current || family.type !== '')
        throw new Error(`misplaced: ${line}`);
      if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(`unknown type: ${line}`);
      family.type = rest;
    } else addSample(line, current, families.get(current));
  }
  for (const [name, { type, samples }] of families) if (type === 'histogram') checkHistogram(name, samples);
  return families;
}

function addSample(line: string, current: string, family: Family | undefined): void {
  const [, name = '', labelText = ''] = SAMPLE.exec(line) ?? [];
  const written = line.slice(line.lastIndexOf(' ') + 1);
  const value = written === '+Inf' ? Number.POSITIVE_INFINITY : Number(written);
  if (name === '' || written === '' || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const suffix = family?.type === 'histogram' ? '(_bucket|_sum|_count)' : '';
  if (family === undefined || !new RegExp(`^${current}${suffix}$`).test(name))
    throw new Error(`not of the family ${current}: ${line}`);
  const pairs = [...labelText.matchAll(new RegExp(LABEL, 'g'))].map(
    ([, key = '', label = '']): [string, string] => [
      key,
      label.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char)),
    ],
  );
  const labels = Object.fromEntries(pairs);
  if (Object.keys(labels).length !== pairs.length) throw new Error(`a label is there twice: ${line}`);
  const isSame = (other: Family['samples'][number]): boolean =>
    other.name === name && JSON.stringify(other.labels) === JSON.stringify(labels);
  if (family.samples.some(isSame)) throw new Error(`the sample is there twice: ${line}`);
  family.samples.push({ name, labels, value });
}

function checkHistogram(name: string, samples: Family['samples']): void {
  if (samples.length === 0) return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const valueOf = (part: string): number | undefined =>
    samples.find((sample) => sample.name === name + part)?.value;
  const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
  const isAscending = (values: readonly number[]): boolean =>
    values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no bucket for all`);
  if (!isAscending(bounds) || !isAscending(buckets.map(({ value }) => value)))
    throw new Error(`the buckets of ${name} do not grow`);
  if (valueOf('_count') !== buckets.at(-1)?.value || valueOf('_sum') === undefined)
    throw new Error(`the sum and the count of ${name} do not fit`);
}
