/** What a result depends on, part by part, and the key that is the same exactly where all parts are. */
import { createHmac, hash } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { CacheQuestion } from '../domain/history/result-cache.ts';
import type { ToolSettings } from '../domain/tool.ts';
import type { CacheInputs, Workstream } from '../domain/workstream.ts';
import { withLiterals } from '../os/literal-patterns.ts';
import { type FileContent, type FileHashes, FolderFound, Undecidable } from './file-hashes.ts';
import type { FingerprintPart, ModuleFiles } from './module-files.ts';

/** Changes where results of earlier versions of Millrace are not those that this one would compute. */
const FORMAT = 1;

export interface Fingerprint {
  key: string;
  parts: readonly FingerprintPart[];
}

export interface FingerprintParts {
  /** Absolute folder that patterns are relative to. */
  project: string;
  /** Absolute folders that no pattern finds anything in: Millrace writes into them during a run. */
  excluded: readonly string[];
  hashes: FileHashes;
  modules: ModuleFiles;
  /** For the values of environment variables. */
  secret: Buffer;
  /** What runs shell lines and test gates. */
  commands: { shell: string; gates: Readonly<Record<string, string>> };
  /** The declared outputs of a workstream, by id. */
  outputsOf: (workstreamId: string) => readonly string[];
}

export class Fingerprints {
  readonly #parts: FingerprintParts;
  /** Found since `forget`: files by patterns, and hashes by the id of the dependency that they are of. */
  readonly #files = new Map<string, Promise<[path: string, content: FileContent][]>>();
  readonly #outputs = new Map<string, string>();

  constructor(parts: FingerprintParts) {
    this.#parts = parts;
  }

  /** To be called where files may have changed. */
  forget(): void {
    this.#files.clear();
    this.#outputs.clear();
    this.#parts.hashes.forget();
    this.#parts.modules.forget();
  }

  /** @throws Undecidable where something can't be read. */
  async of(
    { workstream, dependencies, tools }: CacheQuestion,
    { inputs, env }: CacheInputs,
  ): Promise<Fingerprint> {
    const { modules } = this.#parts;
    const parts: FingerprintPart[] = [
      ['the format of the cache', String(FORMAT)],
      ['Node.js', `${process.version} ${process.platform} ${process.arch}`],
      ['its definition', workstream.hash],
      ...this.#commandParts(workstream),
    ];
    for (const name of env) parts.push([`env ${name}`, this.#variable(name)]);
    const only = inputs.length === 1 ? this.#knownFile(inputs[0] ?? '') : null;
    for (const [path, content] of only === null ? await this.#filesOf(inputs) : [only])
      parts.push([`input ${path}`, valueOf(content)]);
    for (const step of workstream.steps)
      if (step.kind === 'module') parts.push(...(await modules.partsOf(step.module)));
      // Beside those of its definition there may be one more: what was said of its earlier work.
      else if (step.kind === 'tool')
        parts.push([`tasks of ${step.id}`, hash('sha256', JSON.stringify(step.tasks))]);
    for (const [name, settings] of Object.entries(tools)) parts.push([`tool ${name}`, toolValue(settings)]);
    for (const { id } of workstream.dependsOn)
      parts.push(...(await this.#dependencyParts(id, dependencies[id])));
    return { key: hash('sha256', JSON.stringify(parts)), parts };
  }

  /** Only lines for the shell depend on these. */
  #commandParts({ steps, acceptanceTests, testGates }: Workstream): FingerprintPart[] {
    const { shell, gates } = this.#parts.commands;
    const usesShell =
      acceptanceTests.length + testGates.length > 0 || steps.some(({ kind }) => kind === 'run');
    const used = testGates.map(({ type }): FingerprintPart => [`gate ${type}`, gates[type] ?? '']);
    return [...(usesShell ? [['the shell', shell] as const] : []), ...used];
  }

  /** A hash with a key: nobody who reads it can try values that the variable may have had. */
  #variable(name: string): string {
    const value = process.env[name];
    return value === undefined
      ? 'not set'
      : createHmac('sha256', this.#parts.secret).update(value).digest('hex');
  }

  async #dependencyParts(id: string, output: unknown): Promise<FingerprintPart[]> {
    let value = this.#outputs.get(id);
    if (value === undefined) {
      value = hash('sha256', JSON.stringify(output ?? null));
      this.#outputs.set(id, value);
    }
    const files = await this.#filesOf(this.#parts.outputsOf(id));
    return [
      [`the output of ${id}`, value],
      ...files.map(([path, content]): FingerprintPart => [`file ${path} of ${id}`, valueOf(content)]),
    ];
  }

  /** The one input that most workstreams of a sweep have, where its hash is known; null where it has to be looked for. */
  #knownFile(path: string): [string, FileContent] | null {
    if (!CERTAINLY_PLAIN.test(path)) return null;
    const content = this.#parts.hashes.knownContentOf(resolve(this.#parts.project, path));
    return content === null ? null : [path, content];
  }

  #filesOf(patterns: readonly string[]): Promise<[string, FileContent][]> {
    if (patterns.length === 0) return NO_FILES;
    const name = patterns.length === 1 ? (patterns[0] ?? '') : JSON.stringify(patterns);
    let files = this.#files.get(name);
    if (files === undefined) {
      files = this.#find(patterns);
      this.#files.set(name, files);
    }
    return files;
  }

  async #find(patterns: readonly string[]): Promise<[string, FileContent][]> {
    const { project, hashes } = this.#parts;
    const found: [string, FileContent][] = [];
    const [only = ''] = patterns;
    if (patterns.length === 1 && isPlainPath(only)) {
      const content = await this.#plainFile(only);
      if (content !== 'folder') return content === null ? [] : [[only, content]];
    }
    for (const path of await this.#pathsOf(patterns)) {
      const content = await hashes.contentOf(resolve(project, path));
      if (content !== null) found.push([path, content]);
    }
    return found;
  }

  /** The one file that most workstreams of a sweep have: nothing has to be searched for it. */
  async #plainFile(path: string): Promise<FileContent | null | 'folder'> {
    try {
      return await this.#parts.hashes.contentOf(resolve(this.#parts.project, path));
    } catch (error) {
      if (error instanceof FolderFound) return 'folder';
      throw error;
    }
  }

  /** Relative to the project, in order. */
  async #pathsOf(patterns: readonly string[]): Promise<string[]> {
    const { project, excluded } = this.#parts;
    const ignore = excluded.map((folder) => `${escaped(relative(project, folder))}/**`);
    const literally = (some: readonly string[]): string[] => withLiterals(some.map(withoutDot), project);
    const positive = literally(patterns.filter((pattern) => !isNegated(pattern)));
    const negative = literally(patterns.filter(isNegated).map((pattern) => pattern.slice(1)));
    // What only leaves out leaves out of everything.
    const paths = await glob(positive.length === 0 ? ['**'] : positive, {
      cwd: project,
      dot: true,
      followSymbolicLinks: true,
      ignore: [...ALWAYS_IGNORED, ...ignore, ...negative],
    });
    return paths.toSorted();
  }
}

const NO_FILES: Promise<[string, FileContent][]> = Promise.resolve([]);
const ALWAYS_IGNORED = ['**/.git/**', '**/node_modules/**'];

/** No pattern has these characters alone. */
const CERTAINLY_PLAIN = /^[\w./-]+$/;
const isPlainPath = (pattern: string): boolean => !isDynamicPattern(pattern) && !/[\\!]/.test(pattern);
const isNegated = (pattern: string): boolean => pattern.startsWith('!') && pattern[1] !== '(';
const withoutDot = (pattern: string): string => pattern.replace(/^\.\//, '');
const escaped = (path: string): string =>
  path
    .split(sep)
    .join('/')
    .replaceAll(/[()[\]{}*?!+@]/g, String.raw`\$&`);

/** Whether a file can be executed is part of what a command does with it. */
const valueOf = ({ sha256, mode }: FileContent): string => ((mode & 0o100) === 0 ? sha256 : `x ${sha256}`);

/** How a tool is called, and its program: that is another one where it is in another place, or was changed. */
function toolValue({ command, ...settings }: ToolSettings): string {
  const program = programOf(command[0]);
  return hash('sha256', JSON.stringify([settings, command, program]));
}

function programOf(name: string): unknown {
  const folders =
    name.includes('/') || isAbsolute(name) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    const path = folder === '' ? resolve(name) : join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile() || !isExecutable(path)) continue;
    return [path, stats.size, stats.mtimeMs];
  }
  throw new Undecidable(`there is no program ${name}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Most differences that are named. */
const MOST_NAMED = 20;

/** What differs between the parts of an earlier result and those of now, in clauses. */
export function differences(before: readonly FingerprintPart[], now: readonly FingerprintPart[]): string[] {
  const left = new Map(before.map(([name, value]) => [name, value]));
  const clauses: string[] = [];
  for (const [name, value] of now) {
    const earlier = left.get(name);
    if (earlier === undefined) clauses.push(`${name} was added`);
    else if (value.slice(0, SHORT) !== earlier)
      clauses.push(`${name} ${name.startsWith('env ') ? 'differs' : 'changed'}`);
    left.delete(name);
  }
  for (const name of left.keys()) clauses.push(`${name} was removed`);
  const more = clauses.length - MOST_NAMED;
  return more > 0 ? [...clauses.slice(0, MOST_NAMED), `and ${more} more`] : clauses;
}

/** Parts as they are kept: enough of each value to see that it differs. */
export const shortened = (parts: readonly FingerprintPart[]): [string, string][] =>
  parts.map(([name, value]) => [name, value.slice(0, SHORT)]);

/** 64 bits of a hash. The key decides what is taken over. */
const SHORT = 16;
