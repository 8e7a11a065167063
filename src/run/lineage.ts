import type { Changes } from '../domain/changes.ts';
import type { EarlierWork } from '../domain/earlier-run.ts';
import type { Workstream } from '../domain/workstream.ts';

/**
 * Knows whose work a workstream builds on: those of its dependencies that left commits, and where one left none, those
 * that it built on itself.
 */
export class Lineage {
  readonly #sources = new Map<string, readonly string[]>();

  /** Takes what a workstream that completed left. */
  add(workstream: Workstream, changes: Changes | null): void {
    const own = changes?.source === 'git' && changes.branch !== null;
    const sources = own ? [workstream.id] : this.parentsOf(workstream);
    if (sources.length > 0) this.#sources.set(workstream.id, sources);
  }

  /** Takes what a workstream left that completed in an earlier session or run. */
  restore({ id, dependsOn, hasCommits }: EarlierWork): void {
    const sources = hasCommits ? [id] : this.parentsOf({ dependsOn });
    if (sources.length > 0) this.#sources.set(id, sources);
  }

  /** The workstreams whose commits this one starts from, each once. */
  parentsOf({ dependsOn }: Pick<EarlierWork, 'dependsOn'>): string[] {
    if (this.#sources.size === 0) return [];
    return [...new Set(dependsOn.flatMap(({ id }) => this.#sources.get(id) ?? []))];
  }
}
