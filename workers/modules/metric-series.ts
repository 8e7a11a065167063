/** Collects what a module reports of its metrics while it runs, in memory that does not grow with it. */
import type { MetricSeries } from '../../src/domain/outcome.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import { nameOf } from './lossy-values.ts';

/** Most points of a series that are kept beside its first, last, least and greatest. */
const MOST_POINTS = 500;

/** Most series of one execution. */
export const MOST_SERIES = 100;

/** Longest name of a metric in characters. */
const LONGEST_NAME = 200;

interface Point {
  /** Place in the order in which points were reported, from 0. */
  index: number;
  step: number;
  value: number;
}

/**
 * One series. Every `stride`-th point is kept; once there are too many, every second of these is dropped and the stride
 * doubles, so that what is kept is spread evenly over all that was reported, whenever that is looked at.
 */
class Series {
  #kept: Point[] = [];
  #stride = 1;
  #total = 0;
  #last: Point | null = null;
  #least: Point | null = null;
  #greatest: Point | null = null;

  add(value: number, step: number | undefined): void {
    const point = { index: this.#total, step: step ?? this.#total, value };
    this.#total += 1;
    this.#last = point;
    if (this.#least === null || value < this.#least.value) this.#least = point;
    if (this.#greatest === null || value > this.#greatest.value) this.#greatest = point;
    if (point.index % this.#stride !== 0) return;
    this.#kept.push(point);
    if (this.#kept.length <= MOST_POINTS) return;
    this.#kept = this.#kept.filter((_, place) => place % 2 === 0);
    this.#stride *= 2;
  }

  get series(): MetricSeries {
    const points = new Map(this.#kept.map((point) => [point.index, point]));
    for (const point of [this.#least, this.#greatest, this.#last])
      if (point !== null) points.set(point.index, point);
    const inOrder = [...points.values()].toSorted((a, b) => a.index - b.index);
    return { points: inOrder.map(({ step, value }) => [step, value]), total: this.#total };
  }
}

/** The series of one execution. */
export class SeriesCollector {
  readonly #series = new Map<string, Series>();

  /**
   * Adds a point.
   * @param step default: how many points of the series came before it.
   * @returns false where there are too many series for another one.
   * @throws TypeError for anything but a name, a finite number and perhaps another one.
   */
  add(name: unknown, value: unknown, step: unknown): boolean {
    const metric = checkedName(name);
    if (!isFinite(value)) throw new TypeError(`The metric "${metric}" is ${shown(value)}; ${EXPECTED}.`);
    if (step !== undefined && !isFinite(step))
      throw new TypeError(`The step of the metric "${metric}" is ${shown(step)}; ${EXPECTED}.`);
    let series = this.#series.get(metric);
    if (series === undefined) {
      if (this.#series.size === MOST_SERIES) return false;
      this.#series.set(metric, (series = new Series()));
    }
    series.add(value, step);
    return true;
  }

  /** By name. */
  get all(): Record<string, MetricSeries> {
    return Object.fromEntries([...this.#series].map(([name, { series }]) => [name, series]));
  }
}

const EXPECTED = 'expected a finite number';

const isFinite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const shown = (value: unknown): string => (typeof value === 'number' ? String(value) : nameOf(value));

function checkedName(name: unknown): string {
  if (typeof name !== 'string')
    throw new TypeError(`The name of a metric is ${nameOf(name)}; expected text.`);
  if (name.trim() === '' || name === '__proto__')
    throw new TypeError(`"${name}" can't be the name of a metric.`);
  if (name.length > LONGEST_NAME)
    throw new TypeError(
      `The name of the metric "${firstOf(name, 40)}…" has ${name.length} characters; expected at most ${LONGEST_NAME}.`,
    );
  return name;
}
