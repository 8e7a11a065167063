/** What the modules of steps are made of, found once as long as nothing that decides it has changed. */
import { hash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../text/error-message.ts';
import { SettingsReader } from '../typescript/file-settings.ts';
import { importsOf } from '../typescript/imports.ts';
import { readChecked, writeChecked } from './checked-file.ts';
import { type FileHashes, Undecidable } from './file-hashes.ts';

const text = z.string();

const closureSchema = z.object({
  /** Absolute paths with the hashes of which the rest was found, null for no file: sources and settings. */
  files: z.array(z.tuple([text, text.nullable()])),
  /** How many of them are sources, which come first. */
  sources: z.number(),
  /** With the time of their last change: a file that appears there may take the place of another. */
  folders: z.array(z.tuple([text, z.number()])),
  /** Names and versions. */
  packages: z.array(z.tuple([text, text.nullable()])),
  /** The folders in whose `node_modules` these are. */
  roots: z.array(text),
});
type Closure = z.infer<typeof closureSchema>;

const storedSchema = z.object({ version: z.literal(1), modules: z.array(z.tuple([text, closureSchema])) });

/** A thing that a result depends on: its name for people, and a text that differs where the thing does. */
export type FingerprintPart = readonly [name: string, value: string];

const MOST_MODULES = 10_000;
const LOCK_FILES = [
  // What npm has installed, which its lockfile only asks for.
  'node_modules/.package-lock.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
];

export class ModuleFiles {
  readonly #file: string;
  readonly #hashes: FileHashes;
  readonly #nameOf: (path: string) => string;
  #closures: Map<string, Closure> | null = null;
  #hasChanged = false;
  /** What was found since `forget`. */
  readonly #current = new Map<string, Promise<FingerprintPart[]>>();
  #settings = new SettingsReader();

  /**
   * @param file where closures are remembered between runs.
   * @param nameOf a path as people know it.
   */
  constructor(file: string, hashes: FileHashes, nameOf: (path: string) => string) {
    this.#file = file;
    this.#hashes = hashes;
    this.#nameOf = nameOf;
  }

  /** To be called where files may have changed. */
  forget(): void {
    this.#current.clear();
    this.#settings = new SettingsReader();
  }

  /**
   * What a module and everything that it imports consist of.
   * @param module absolute path.
   * @throws Undecidable where an import can't be followed.
   */
  partsOf(module: string): Promise<FingerprintPart[]> {
    let parts = this.#current.get(module);
    if (parts === undefined) {
      parts = this.#find(module);
      this.#current.set(module, parts);
    }
    return parts;
  }

  /** Remembers closures for later runs. */
  save(): void {
    if (!this.#hasChanged || this.#closures === null) return;
    try {
      writeChecked(this.#file, { version: 1, modules: [...this.#closures].slice(-MOST_MODULES) });
      this.#hasChanged = false;
    } catch {
      // Nothing but time is lost by it.
    }
  }

  async #find(module: string): Promise<FingerprintPart[]> {
    const { sources, files, packages, roots } = (await this.#known(module)) ?? (await this.#scan(module));
    const parts: FingerprintPart[] = [];
    for (const [path, sha256] of files.slice(0, sources))
      parts.push([`module ${this.#nameOf(path)}`, sha256 ?? '']);
    for (const [name, version] of packages) parts.push([`package ${name}`, version ?? '']);
    for (const path of new Set(roots.flatMap((root) => lockOf(root) ?? []))) {
      const content = await this.#hashes.contentOf(path);
      parts.push([`lockfile ${this.#nameOf(path)}`, content?.sha256 ?? '']);
    }
    const { packageType, module: kind, compilerOptions } = this.#settings.of(module);
    parts.push([
      `settings of module ${this.#nameOf(module)}`,
      hash('sha256', JSON.stringify([packageType, kind, compilerOptions])),
    ]);
    return parts;
  }

  /** The closure that was found earlier; null where something that decides it has changed. */
  async #known(module: string): Promise<Closure | null> {
    this.#closures ??= new Map(readChecked(this.#file, storedSchema)?.modules ?? []);
    const closure = this.#closures.get(module);
    if (closure === undefined) return null;
    if (closure.folders.some(([folder, time]) => changeOf(folder) !== time)) return null;
    for (const [path, sha256] of closure.files) {
      const content = await this.#hashes.contentOf(path);
      if ((content?.sha256 ?? null) !== sha256) return null;
    }
    return closure;
  }

  async #scan(module: string): Promise<Closure> {
    const found = await importsOf(module).catch((error: unknown) => {
      throw new Undecidable(`what ${this.#nameOf(module)} imports is not known: ${messageOf(error)}`);
    });
    const folders = [...new Set(found.files.map((path) => dirname(path)))];
    const manifests = found.packages.map(({ root, name }) =>
      join(root, 'node_modules', name, 'package.json'),
    );
    const deciding = [...new Set([...folders.flatMap(settingsAbove), ...manifests])];
    const files: Closure['files'] = [];
    for (const path of [...found.files, ...deciding]) {
      const content = await this.#hashes.contentOf(path);
      files.push([path, content?.sha256 ?? null]);
    }
    const closure: Closure = {
      files,
      sources: found.files.length,
      folders: folders.map((folder) => [folder, changeOf(folder)]),
      packages: found.packages.map(({ name, version }) => [name, version]),
      roots: [...new Set(found.packages.map(({ root }) => root))],
    };
    this.#closures?.set(module, closure);
    this.#hasChanged = true;
    return closure;
  }
}

/** When an entry of the folder was last made or removed; 0 where it is gone. */
const changeOf = (folder: string): number => statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The nearest settings of a folder: each decides what imports mean. */
function settingsAbove(folder: string): string[] {
  return ['package.json', 'tsconfig.json'].flatMap((name) => nearest(folder, name) ?? []);
}

function nearest(folder: string, name: string): string | null {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? null : nearest(above, name);
}

/** The file that says which packages are installed in a folder, or above it. */
function lockOf(root: string): string | null {
  const found = LOCK_FILES.map((name) => join(root, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const above = dirname(root);
  return above === root ? null : lockOf(above);
}
