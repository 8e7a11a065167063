/**
 * Keeps results of workstreams with a `cache` in the state folder, for later runs. Beside the database and not in it: an
 * entry is one file that names all that it needs by hashes, so that several runs, a run that is killed, or somebody who
 * removes some of it can do no more than have something computed again. docs/decisions/0053-cache.md says more.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { type AgentResult, agentResultSchema, type CacheUse } from '../domain/agent-result.ts';
import type { CacheQuestion, ResultCache, ReusableResult } from '../domain/history/result-cache.ts';
import type { Workstream } from '../domain/workstream.ts';
import { makeFolder } from '../os/folder.ts';
import { messageOf } from '../text/error-message.ts';
import { readChecked, writeChecked } from './checked-file.ts';
import { FileHashes, Undecidable } from './file-hashes.ts';
import {
  differences,
  type Fingerprint,
  type FingerprintParts,
  Fingerprints,
  shortened,
} from './fingerprint.ts';
import { KeptFiles, keptFileSchema, namesIn, noteUse } from './kept-files.ts';
import { ModuleFiles } from './module-files.ts';
import { ResultIndex, stampAt } from './result-index.ts';

const entrySchema = z.object({
  /** Of the fingerprint. */
  key: z.string(),
  result: agentResultSchema,
  files: z.array(keptFileSchema),
});
type Entry = z.infer<typeof entrySchema>;

const storedSchema = z.object({
  version: z.literal(1),
  /** Names and shortened values of the newest entry. */
  parts: z.array(z.tuple([z.string(), z.string()])),
  /** The newest first. */
  entries: z.array(entrySchema),
});
type Stored = z.infer<typeof storedSchema>;

/** Results of one workstream that are kept: going back to a value, a branch or an input finds the earlier one. */
const MOST_ENTRIES = 4;
/** Decisions of one moment look at a file once. */
const MOMENT_MS = 100;
/** How much is left of the bound when it was exceeded. */
const AFTER_PRUNING = 0.8;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface ResultCacheParts
  extends Pick<FingerprintParts, 'project' | 'excluded' | 'commands' | 'outputsOf'> {
  /** Folder of the cache, made when something is kept. */
  folder: string;
  /** Most that it may hold, in MB of 10^6 bytes. */
  mostMb: number;
  /** False where nothing is taken over; results are kept all the same. */
  takesOver: boolean;
  /** A result as it may be stored: without secrets. */
  redact: (result: AgentResult) => AgentResult;
  /** Called, once, with why results can't be kept, as a sentence. */
  notify: (text: string) => void;
}

/** What was asked about a workstream that is executed now. */
interface AskedAbout {
  question: CacheQuestion;
  /** Null where it can't be decided. */
  fingerprint: Fingerprint | null;
  changes: string[];
  note: string | null;
}

export class FolderResultCache implements ResultCache {
  readonly #parts: ResultCacheParts;
  readonly #places: CachePlaces;
  readonly #hashes: FileHashes;
  readonly #modules: ModuleFiles;
  readonly #files: KeptFiles;
  readonly #index: ResultIndex<Entry>;
  #fingerprints: Fingerprints | null = null;
  readonly #asked = new Map<string, AskedAbout>();
  /** When what is known of files was found, on the clock of `performance`. */
  #moment = 0;
  #hasKept = false;
  #hasTold = false;

  constructor(parts: ResultCacheParts) {
    this.#parts = parts;
    this.#places = placesIn(parts.folder);
    this.#hashes = new FileHashes(this.#places.hashes);
    this.#modules = new ModuleFiles(this.#places.modules, this.#hashes, (path) =>
      relative(parts.project, path),
    );
    this.#files = new KeptFiles(this.#places.files, parts.project, this.#hashes);
    this.#index = new ResultIndex(this.#places.index, this.#places.results, (id) => this.#places.result(id));
  }

  async takeOver(question: CacheQuestion): Promise<ReusableResult | null> {
    const { workstream } = question;
    const asked: AskedAbout = { question, fingerprint: null, changes: [], note: null };
    this.#asked.set(workstream.id, asked);
    try {
      const fingerprint = await this.#fingerprint(question);
      asked.fingerprint = fingerprint;
      if (!this.#parts.takesOver) return null;
      const entry = this.#find(asked, fingerprint);
      if (entry !== null) return await this.#restore(workstream, entry);
    } catch (error) {
      asked.note = messageOf(error);
    }
    return null;
  }

  /** The result that was kept for a fingerprint; where there is none, notes what has changed since the last one. */
  #find(asked: AskedAbout, { key, parts }: Fingerprint): Entry | null {
    const { id } = asked.question.workstream;
    const place = this.#places.result(id);
    const indexed = this.#index.find(id, key);
    if (indexed !== null) return indexed;
    const stamp = stampAt(place);
    const stored = readChecked(place, storedSchema);
    if (stored === null) return null;
    const entry = stored.entries.find((each) => each.key === key);
    if (entry === undefined) asked.changes = differences(stored.parts, parts);
    else if (stamp !== null) this.#index.put(id, stamp, key, entry);
    return entry ?? null;
  }

  async #restore({ id }: Workstream, { result, files }: Entry): Promise<ReusableResult> {
    const restored = await this.#files.restore(files);
    if (restored.length > 0) this.forget();
    this.#asked.delete(id);
    if (Date.now() - Date.parse(result.endTime ?? '') > DAY_MS) noteDailyUse(this.#places.result(id));
    return { result, restored };
  }

  async keep(result: AgentResult): Promise<CacheUse> {
    const asked = this.#asked.get(result.workstreamId);
    this.#asked.delete(result.workstreamId);
    this.forget();
    if (asked === undefined) return { result: 'not-kept', changes: [], note: null };
    const { changes } = asked;
    if (result.status !== 'completed') return { result: 'not-kept', changes, note: asked.note };
    try {
      const why = await this.#whyNot(asked, result);
      if (why === null) await this.#store(asked, result);
      return { result: why === null ? 'kept' : 'not-kept', changes, note: why ?? asked.note };
    } catch (error) {
      this.#tell(error);
      return { result: 'not-kept', changes, note: messageOf(error) };
    }
  }

  /** Why a completed result is none to keep, as a clause; null where it is one. */
  async #whyNot({ question, fingerprint, note }: AskedAbout, result: AgentResult): Promise<string | null> {
    if (fingerprint === null) return note;
    if (result.commitsCreated.length > 0) return 'it made commits, which can not be taken over';
    const { outputs } = result.metadata;
    if (outputs.length === 0 && question.workstream.outputs.length > 0)
      return 'none of its outputs was there when it had ended';
    const unknown = outputs.find(({ sha256 }) => sha256 === null);
    if (unknown !== undefined)
      return `its output ${unknown.path} can't be kept: ${unknown.problem ?? 'its hash is not known'}`;
    const made = new Set(outputs.map(({ path }) => path));
    const other = result.filesModified.find((path) => !made.has(path.replace(/^\.\//, '')));
    if (other !== undefined) return `it modified ${other}, which its outputs do not name`;
    const after = await this.#fingerprint(question);
    if (after.key === fingerprint.key) return null;
    return `${differences(shortened(fingerprint.parts), after.parts)[0] ?? 'something'} while it was executed`;
  }

  async #store({ question, fingerprint }: AskedAbout, result: AgentResult): Promise<void> {
    if (fingerprint === null) return;
    const files: Entry['files'] = [];
    for (const { path, sha256 } of result.metadata.outputs)
      files.push(await this.#files.keep(path, sha256 ?? ''));
    const place = this.#places.result(question.workstream.id);
    const others = (readChecked(place, storedSchema)?.entries ?? []).filter(
      ({ key }) => key !== fingerprint.key,
    );
    const entry = { key: fingerprint.key, result: this.#parts.redact(result), files };
    const stored: Stored = {
      version: 1,
      parts: shortened(fingerprint.parts),
      entries: [entry, ...others].slice(0, MOST_ENTRIES),
    };
    makeFolder(this.#places.results, 0o700);
    writeChecked(place, stored);
    const stamp = stampAt(place);
    if (stamp !== null) this.#index.put(question.workstream.id, stamp, entry.key, entry);
    this.#hasKept = true;
  }

  #fingerprint(question: CacheQuestion): Promise<Fingerprint> {
    const { cache } = question.workstream;
    if (cache === null) throw new Undecidable('it has no cache');
    if (performance.now() - this.#moment > MOMENT_MS) this.forget();
    this.#fingerprints ??= new Fingerprints({
      ...this.#parts,
      hashes: this.#hashes,
      modules: this.#modules,
      secret: secretIn(this.#parts.folder, this.#places.secret),
    });
    return this.#fingerprints.of(question, cache);
  }

  forget(): void {
    this.#moment = performance.now();
    this.#index.forget();
    this.#fingerprints?.forget();
  }

  #tell(error: unknown): void {
    if (this.#hasTold || error instanceof Undecidable) return;
    this.#hasTold = true;
    this.#parts.notify(`Results can't be kept in ${this.#parts.folder}: ${messageOf(error)}.`);
  }

  async close(): Promise<void> {
    this.#hashes.save();
    this.#modules.save();
    this.#index.save();
    if (!this.#hasKept) return;
    this.#hasKept = false;
    const { folder, mostMb } = this.#parts;
    await pruneToSize(folder, mostMb * 1e6).catch((error: unknown) => this.#tell(error));
  }
}

interface CachePlaces {
  results: string;
  result(id: string): string;
  index: string;
  files: string;
  hashes: string;
  modules: string;
  secret: string;
}

/** The names of what is in the folder of the cache, beside compiled modules. */
const placesIn = (folder: string): CachePlaces => ({
  results: join(folder, 'results'),
  // Ids are file names on any system.
  result: (id) => join(folder, 'results', `${id}.json`),
  index: join(folder, 'result-index'),
  files: join(folder, 'outputs'),
  hashes: join(folder, 'file-hashes.json'),
  modules: join(folder, 'module-imports.json'),
  secret: join(folder, 'secret'),
});

/** What `millrace prune` treats on its own among what is in the folder of the cache. */
export const CACHE_NAMES: readonly string[] = [
  'results',
  'result-index',
  'outputs',
  'file-hashes.json',
  'module-imports.json',
  'secret',
];

/** The key for hashes of variables; another one is made where it was removed, and then those results are computed again. */
function secretIn(folder: string, path: string): Buffer {
  const known = secretAt(path);
  if (known !== null) return known;
  makeFolder(folder, 0o700);
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, randomBytes(32), { mode: 0o600 });
    rmSync(path, { force: true });
    // Of two processes that do this at the same time, one makes the name.
    linkSync(unfinished, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
  return readFileSync(path);
}

function secretAt(path: string): Buffer | null {
  try {
    const secret = readFileSync(path);
    return secret.length === 32 ? secret : null;
  } catch {
    // There is none yet.
    return null;
  }
}

/** When a result was last used is known to the day: that is enough to know which was not used for long. */
function noteDailyUse(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && Date.now() - stats.mtimeMs > DAY_MS) noteUse(path);
}

export interface PrunedCache {
  count: number;
  bytes: number;
}

/**
 * Removes kept results that were not used since a time, and contents that no result names.
 * @param before milliseconds since 1970.
 */
export async function pruneResults(folder: string, before: number, dryRun: boolean): Promise<PrunedCache> {
  const all = await resultFiles(folder);
  return remove(
    folder,
    all,
    all.filter(({ usedAt }) => usedAt < before),
    dryRun,
  );
}

/** Removes the results that were not used for longest, until the rest takes 80 % of what it may take. */
async function pruneToSize(folder: string, mostBytes: number): Promise<void> {
  const all = await resultFiles(folder);
  const files = new KeptFiles(placesIn(folder).files, folder, new FileHashes(''));
  const { size: indexBytes = 0 } = statSync(placesIn(folder).index, { throwIfNoEntry: false }) ?? {};
  let size = all.reduce((sum, { bytes }) => sum + bytes, indexBytes + (await files.size()));
  if (size <= mostBytes) return;
  const old: ResultFile[] = [];
  for (const file of all.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (size <= mostBytes * AFTER_PRUNING) break;
    old.push(file);
    size -= file.bytes + namedIn(file).reduce((sum, { bytes }) => sum + bytes, 0);
  }
  await remove(folder, all, old, false);
}

interface ResultFile {
  path: string;
  bytes: number;
  usedAt: number;
}

async function resultFiles(folder: string): Promise<ResultFile[]> {
  const { results } = placesIn(folder);
  const files: ResultFile[] = [];
  for (const name of await namesIn(results)) {
    const path = join(results, name);
    const stats = await stat(path).catch(() => null);
    if (stats?.isFile() === true) files.push({ path, bytes: stats.size, usedAt: stats.mtimeMs });
  }
  return files;
}

/** The contents that a file of results names. */
const namedIn = ({ path }: ResultFile): Entry['files'] =>
  readChecked(path, storedSchema)?.entries.flatMap(({ files }) => files) ?? [];

async function remove(
  folder: string,
  all: readonly ResultFile[],
  old: readonly ResultFile[],
  dryRun: boolean,
): Promise<PrunedCache> {
  const gone = new Set(old);
  for (const { path } of old) if (!dryRun) await rm(path, { force: true });
  // It has copies of them; the next run that takes results over makes it again.
  if (old.length > 0 && !dryRun) await rm(placesIn(folder).index, { force: true });
  const named = new Set(
    all.filter((file) => !gone.has(file)).flatMap((file) => namedIn(file).map(({ sha256 }) => sha256)),
  );
  const files = new KeptFiles(placesIn(folder).files, folder, new FileHashes(''));
  const contents = await files.removeUnnamed((sha256) => named.has(sha256), dryRun);
  const bytes =
    old.reduce((sum, each) => sum + each.bytes, 0) + contents.reduce((sum, each) => sum + each, 0);
  return { count: old.length + contents.length, bytes };
}
