import { hash } from 'node:crypto';
import {
  type CircuitBreaker,
  copyOf,
  type Dependency,
  type Source,
  type Step,
  type Workstream,
} from '../domain/workstream.ts';
import { NO_FIELDS, NONE, ONE_ATTEMPT } from './normalize.ts';

/** What a workstream does; one and the same for all that do the same. */
export interface PlainWork {
  steps: Step[];
  /** The steps as they were written, in canonical JSON. */
  written: string;
}

/** What a plain definition says. */
export interface PlainDefinition {
  id: string;
  /** Not blank. */
  title: string | undefined;
  description: string | undefined;
  needs: readonly string[] | undefined;
  work: PlainWork;
  file: string;
  /** Index in the file's array. */
  position: number;
}

/**
 * The workstream of a plain definition, in a third of the memory: it holds what the definition says, and returns the
 * default for everything else. Its hash is computed when it is read.
 */
export class PlainWorkstream implements Workstream {
  readonly id: string;
  readonly description: string | null;
  dependsOn: Dependency[];
  /** As they were written; undefined where they were not. */
  readonly #title: string | undefined;
  readonly #needs: readonly string[] | undefined;
  readonly #work: PlainWork;
  readonly #file: string;
  readonly #position: number;

  constructor({ id, title, description, needs, work, file, position }: PlainDefinition) {
    this.id = id;
    this.description = description ?? null;
    this.dependsOn = needs === undefined || needs.length === 0 ? NONE : needs.map(onCompletion);
    // The text of the id would be in memory twice.
    this.#title = title === id ? id : title;
    this.#needs = needs;
    this.#work = work;
    this.#file = file;
    this.#position = position;
  }

  get base(): string {
    return this.id;
  }

  get title(): string {
    return this.#title ?? this.id;
  }

  get steps(): Step[] {
    return this.#work.steps;
  }

  get source(): Source {
    return { file: this.#file, position: this.#position };
  }

  get hash(): string {
    const known = takeHash(this);
    if (known !== undefined) return known;
    // As `canonical` writes the definition. A private method would cost every workstream eight bytes.
    const needs = this.#needs === undefined ? '' : `"depends_on":${JSON.stringify(this.#needs)},`;
    const description = this.description === null ? '' : `"description":${JSON.stringify(this.description)},`;
    const title = this.#title === undefined ? '' : `,"title":${JSON.stringify(this.#title)}`;
    const work = `"id":"${this.id}","steps":${this.#work.written}`;
    const computed = hash('sha256', `{${needs}${description}${work}${title}}`);
    hashes.set(this, computed);
    return computed;
  }

  /** JSON has no accessors. */
  toJSON(): Workstream {
    return copyOf(this);
  }

  get kind(): null {
    return null;
  }

  get priority(): number {
    return 0;
  }

  get acceptanceTests(): never[] {
    return NONE;
  }

  get testGates(): never[] {
    return NONE;
  }

  get scopes(): never[] {
    return NONE;
  }

  get conflictGroup(): null {
    return null;
  }

  get parallelOk(): boolean {
    return true;
  }

  get filesScope(): never[] {
    return NONE;
  }

  get filesCreate(): never[] {
    return NONE;
  }

  get circuitBreaker(): CircuitBreaker {
    return ONE_ATTEMPT;
  }

  get compensation(): never[] {
    return NONE;
  }

  get workspace(): null {
    return null;
  }

  get onRetry(): null {
    return null;
  }

  get review(): null {
    return null;
  }

  get maxCostUsd(): null {
    return null;
  }

  get gate(): null {
    return null;
  }

  get track(): null {
    return null;
  }

  get timeoutSeconds(): null {
    return null;
  }

  get isolation(): 'thread' {
    return 'thread';
  }

  get memoryLimitMb(): null {
    return null;
  }

  get cpus(): null {
    return null;
  }

  get memoryMb(): null {
    return null;
  }

  get requires(): never[] {
    return NONE;
  }

  get cache(): null {
    return null;
  }

  get sandbox(): null {
    return null;
  }

  get network(): null {
    return null;
  }

  get matrix(): null {
    return null;
  }

  get outputs(): never[] {
    return NONE;
  }

  get extra(): typeof NO_FIELDS {
    return NO_FIELDS;
  }
}

const onCompletion = (id: string): Dependency => ({ id, when: 'completed' });

/**
 * Hashes that were read once: that of a workstream goes to its agent, and a moment later into its result. Each is dropped
 * when it is read again.
 */
const hashes = new Map<PlainWorkstream, string>();
/** So many are more than all agents have in hand. */
const MOST_HASHES = 10_000;

function takeHash(workstream: PlainWorkstream): string | undefined {
  const known = hashes.get(workstream);
  if (known !== undefined) hashes.delete(workstream);
  else if (hashes.size >= MOST_HASHES) hashes.clear();
  return known;
}
