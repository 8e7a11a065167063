/** A project folder with a cache, in which a test plays the workstream: it makes the files that it says it made. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FolderResultCache, type ResultCacheParts } from '../../src/cache/result-cache.ts';
import type { AgentResult, CacheUse } from '../../src/domain/agent-result.ts';
import type { CacheQuestion, ReusableResult } from '../../src/domain/history/result-cache.ts';
import type { Json } from '../../src/domain/json.ts';
import type { ToolSettings } from '../../src/domain/tool.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { completedResult, type ResultFields } from './completed-result.ts';
import { workstream } from './definitions.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What became of a workstream: taken over, or executed because of these changes. */
export type Decided = { taken: ReusableResult } | { taken: null; use: CacheUse };

export interface Execution extends Partial<Omit<CacheQuestion, 'workstream'>> {
  workstream?: Partial<Workstream>;
  /** The files that it makes, by path, with their content. */
  makes?: Record<string, string>;
  /** What its result says beside them. */
  result?: ResultFields;
  /** Called while it is executed, and once it has ended. */
  during?: () => void;
  after?: () => void;
}

export class CachedProject {
  readonly folder = temporaryFolder();
  readonly cacheFolder = join(this.folder, '.state/cache');
  readonly told: string[] = [];

  write(files: Record<string, string>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), content);
    }
  }

  read = (path: string): string => readFileSync(join(this.folder, path), 'utf8');
  mode = (path: string): number => lstatSync(join(this.folder, path)).mode & 0o777;
  chmod = (path: string, mode: number): void => chmodSync(join(this.folder, path), mode);

  /** The paths of everything below the folder of the cache. */
  cached(): string[] {
    return readdirSync(this.cacheFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  /** The cache of a run of its own. */
  open(parts: Partial<ResultCacheParts> = {}): FolderResultCache {
    return new FolderResultCache({
      folder: this.cacheFolder,
      project: this.folder,
      excluded: [join(this.folder, '.state'), join(this.folder, 'reports')],
      commands: { shell: 'sh', gates: {} },
      outputsOf: () => [],
      mostMb: 100,
      takesOver: true,
      redact: (result) => result,
      notify: (text) => this.told.push(text),
      ...parts,
    });
  }

  /** Decides about a workstream in a run of its own, and executes it where it is not taken over. */
  async run(execution: Execution = {}, parts: Partial<ResultCacheParts> = {}): Promise<Decided> {
    const cache = this.open(parts);
    const decided = await this.decide(cache, execution);
    await cache.close();
    return decided;
  }

  async decide(cache: FolderResultCache, execution: Execution): Promise<Decided> {
    const { workstream: fields, makes = {}, result, during, after, ...asked } = execution;
    const question = {
      workstream: workstream('ws-a', [], {
        cache: { inputs: ['in/**'], env: [] },
        outputs: Object.keys(makes),
        ...fields,
      }),
      dependencies: {} satisfies Record<string, Json>,
      tools: {} satisfies Record<string, ToolSettings>,
      ...asked,
    };
    const taken = await cache.takeOver(question);
    if (taken !== null) return { taken };
    during?.();
    this.write(makes);
    const made = this.#result(question.workstream.id, makes, result);
    after?.();
    return { taken, use: await cache.keep(made) };
  }

  #result(id: string, makes: Record<string, string>, fields: ResultFields = {}): AgentResult {
    const outputs = Object.entries(makes).map(([path, content]) => ({
      path,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      problem: null,
    }));
    return completedResult(id, { ...fields, metadata: { outputs, ...fields.metadata } });
  }
}

/** What had changed, where it was executed; null where it was taken over. */
export const changesOf = (decided: Decided): string[] | null =>
  decided.taken === null ? decided.use.changes : null;

/** Whether it was kept, or why not. */
export const keptOf = (decided: Decided): string | null =>
  decided.taken === null ? (decided.use.note ?? decided.use.result) : null;
