/**
 * The files of projects on a host: each source is fetched once, prepared once (`npm ci`), and copied for each agent.
 * At most four sources are kept; one that is in use always is.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MARK_VARIABLE, markValue, OwnedProcesses, runMark } from '../../../os/owned-processes.ts';
import { startTimer } from '../../../os/stopwatch.ts';
import { firstOf } from '../../../text/cut-text.ts';
import { messageOf } from '../../../text/error-message.ts';
import { type Bodies, OWNERS } from '../bodies.ts';
import type { ProjectSource } from '../protocol.ts';
import { unpackSnapshot } from '../snapshot.ts';
import { contentOf, type FolderContent, WorkingCopy } from './working-copy.ts';

const MOST_KEPT = 4;
/** How long fetching and preparing may take together, in seconds. */
const PREPARE_SECONDS = 1_800;

/** The files of a project can't be made; the message is a sentence for a person. */
export class ProjectProblem extends Error {
  override name = 'ProjectProblem';
}

/** What an assignment says of its files. */
export interface ProjectRequest {
  source: ProjectSource;
  /** A shell line; null for none. */
  setup: string | null;
  shell: string;
  /** Names the processes that it starts. */
  runId: string;
}

interface KeptProject {
  folder: string;
  ready: Promise<FolderContent>;
  /** By agent. */
  copies: Map<string, WorkingCopy>;
  /** Whether a workstream has changed something in its copy. */
  isWritten: boolean;
  users: number;
  usedAt: number;
}

export class Projects {
  readonly #folder: string;
  readonly #bodies: Bodies;
  readonly #onPrepared: (name: string, seconds: number) => void;
  readonly #kept = new Map<string, KeptProject>();
  readonly #closing = new AbortController();

  /**
   * @param folder of this host's own, empty.
   * @param onPrepared called with the name of a source that is ready, and how long that took.
   */
  constructor(folder: string, bodies: Bodies, onPrepared: (name: string, seconds: number) => void) {
    this.#folder = folder;
    this.#bodies = bodies;
    this.#onPrepared = onPrepared;
  }

  /**
   * Calls `work` with the folder that an agent executes in: a copy of its own, or the shared one.
   * @throws ProjectProblem
   */
  async use<T>(request: ProjectRequest, agent: string, work: (folder: string) => Promise<T>): Promise<T> {
    if (request.source.kind === 'shared') return work(request.source.folder);
    const name = nameOf(request);
    const project = this.#kept.get(name) ?? this.#fetch(name, request);
    project.users += 1;
    try {
      return await work(await this.#copyFor(project, agent));
    } finally {
      project.users -= 1;
      project.usedAt = performance.now();
      await this.#removeOld();
    }
  }

  /** Whether a workstream of this project has written into its copy: then none may share one with another. */
  isWritten(request: ProjectRequest): boolean {
    return this.#kept.get(nameOf(request))?.isWritten === true;
  }

  /** Ends what is being prepared. */
  close(): void {
    this.#closing.abort();
  }

  async #copyFor(project: KeptProject, agent: string): Promise<string> {
    const content = await project.ready;
    let copy = project.copies.get(agent);
    if (copy === undefined) {
      copy = new WorkingCopy(join(project.folder, agent), join(project.folder, ORIGINAL), content);
      project.copies.set(agent, copy);
    }
    try {
      if (await copy.reset()) project.isWritten = true;
    } catch (error) {
      // Whatever is wrong with it: the next one starts anew.
      project.copies.delete(agent);
      await rm(copy.folder, { recursive: true, force: true });
      throw problemOf('The copy of the project could not be made', error);
    }
    return copy.folder;
  }

  #fetch(name: string, request: ProjectRequest): KeptProject {
    const folder = join(this.#folder, name);
    const ready = this.#prepare(folder, request);
    const project: KeptProject = {
      folder,
      ready,
      copies: new Map(),
      isWritten: false,
      users: 0,
      usedAt: performance.now(),
    };
    this.#kept.set(name, project);
    // One that failed is tried again for the next workstream.
    ready.catch(() => this.#kept.delete(name));
    return project;
  }

  async #prepare(folder: string, request: ProjectRequest): Promise<FolderContent> {
    const begin = startTimer();
    const original = join(folder, ORIGINAL);
    await mkdir(original, { recursive: true, mode: 0o700 });
    try {
      await this.#fill(original, request);
      if (request.setup !== null)
        await this.#run([request.shell, '-c', request.setup], original, request.runId);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw problemOf('The project could not be made on this host', error);
    }
    const content = await contentOf(original);
    this.#onPrepared(shownSource(request.source), (performance.now() - begin.clock) / 1000);
    return content;
  }

  async #fill(folder: string, { source, runId }: ProjectRequest): Promise<void> {
    if (source.kind === 'snapshot')
      return unpackSnapshot(
        this.#bodies.read(OWNERS.snapshot(source.sha256), source.body),
        folder,
        source.sha256,
      );
    if (source.kind === 'shared') return;
    const git = (...args: string[]) =>
      this.#run(['git', '-c', 'advice.detachedHead=false', ...args], folder, runId);
    await git('init', '-q');
    await git('fetch', '-q', '--depth', '1', '--', source.url, source.commit);
    await git('checkout', '-q', 'FETCH_HEAD');
    await rm(join(folder, '.git'), { recursive: true });
  }

  /** Nothing that it started outlives it. @throws ProjectProblem */
  async #run([file = '', ...args]: readonly string[], folder: string, runId: string): Promise<void> {
    const mark = `${runMark(runId)}${randomUUID()}`;
    const owned = new OwnedProcesses(mark);
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, [MARK_VARIABLE]: markValue(mark) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        tail = (tail + text).slice(-MOST_TAIL);
      });
    const stop = (): void => void owned.end(STOP_SECONDS, 'everywhere');
    const timer = setTimeout(stop, PREPARE_SECONDS * 1000);
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    try {
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (...end) => resolve(end));
      });
      if (code === 0) return;
      const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
      throw new ProjectProblem(`\`${[file, ...args].join(' ')}\` ${how}${tail === '' ? '.' : `: ${tail}`}`);
    } finally {
      clearTimeout(timer);
      this.#closing.signal.removeEventListener('abort', stop);
      await owned.end(STOP_SECONDS, 'everywhere');
    }
  }

  async #removeOld(): Promise<void> {
    const unused = [...this.#kept].filter(([, { users }]) => users === 0);
    const tooMany = this.#kept.size - MOST_KEPT;
    if (tooMany <= 0) return;
    const oldest = unused.toSorted(([, one], [, other]) => one.usedAt - other.usedAt).slice(0, tooMany);
    for (const [name, { folder }] of oldest) {
      this.#kept.delete(name);
      await rm(folder, { recursive: true, force: true });
    }
  }
}

const ORIGINAL = 'original';
const MOST_TAIL = 2_000;
const STOP_SECONDS = 1;

/** The same for the same files and preparation. */
const nameOf = ({ source, setup, shell }: ProjectRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([source, setup, shell]))
    .digest('hex')
    .slice(0, 32);

function shownSource(source: ProjectSource): string {
  switch (source.kind) {
    case 'snapshot':
      return `snapshot ${source.sha256.slice(0, 12)}`;
    case 'git':
      return `commit ${source.commit.slice(0, 12)}`;
    case 'shared':
      return source.folder;
  }
}

const problemOf = (what: string, error: unknown): ProjectProblem =>
  new ProjectProblem(firstOf(`${what}: ${messageOf(error)}`, 4_000));
