/** Finds out which modules need TypeScript, and has it compiled before a thread loads them. */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment } from '../domain/assignment.ts';
import type { Step } from '../domain/workstream.ts';
import { readRegular } from '../os/regular-file.ts';
import { MOST_SOURCE_BYTES, TypeScriptCompiler } from '../typescript/compiler.ts';
import { isTypeScript, pathOf, typeScriptTarget } from '../typescript/resolve.ts';

/** A file as far as its text tells. */
interface ScannedFile {
  needsTypeScript: boolean;
  /** Absolute paths of what it imports, but for packages. */
  imports: readonly string[];
}

const NOTHING: ScannedFile = { needsTypeScript: false, imports: [] };

/**
 * Only what stands in the text is found, which is all that has to be: what a thread loads besides, because its name was
 * computed, it compiles itself.
 */
export class TypeScriptModules {
  readonly #compiler: TypeScriptCompiler;
  /** By path of a module: whether it needs TypeScript. A promise until what it imports is compiled. */
  readonly #modules = new Map<string, boolean | Promise<boolean>>();
  readonly #files = new Map<string, ScannedFile>();
  /** By path of a file: settled when it is compiled. */
  readonly #compiled = new Map<string, Promise<void>>();

  /** @param folder where the compiled files go; made when the first one does. */
  constructor(folder: string) {
    this.#compiler = new TypeScriptCompiler(folder);
  }

  /** Resolves with the modules of these assignments that are, or import, TypeScript, once that is compiled. */
  async prepare(assignments: readonly Assignment[]): Promise<string[]> {
    const needed = new Set<string>();
    let last: readonly Step[] | null = null;
    for (const { workstream } of assignments) {
      const { steps } = workstream;
      // Those of most are the same.
      if (steps === last) continue;
      last = steps;
      for (const step of steps) {
        if (step.kind !== 'module') continue;
        const known = this.#modules.get(step.module) ?? this.#prepareModule(step.module);
        if (known === true || (known !== false && (await known))) needed.add(step.module);
      }
    }
    return [...needed];
  }

  #prepareModule(module: string): Promise<boolean> {
    const prepared = this.#compileGraph(module).then((needed) => {
      this.#modules.set(module, needed);
      return needed;
    });
    this.#modules.set(module, prepared);
    return prepared;
  }

  /** What can't be read or compiled is no failure here: the thread that loads it will tell. */
  async #compileGraph(module: string): Promise<boolean> {
    const reached = new Set([realPathOf(module)]);
    const compilations: Promise<void>[] = [];
    let needed = false;
    // What is added to a set while it is iterated is visited too.
    for (const path of reached) {
      const { needsTypeScript, imports } = this.#scan(path);
      needed ||= needsTypeScript;
      if (isTypeScript(path)) compilations.push(this.#compile(path));
      for (const imported of imports) reached.add(imported);
    }
    await Promise.allSettled(compilations);
    return needed;
  }

  #compile(path: string): Promise<void> {
    if (this.#compiled.size === 0) this.#compiler.prune();
    const compiled = this.#compiled.get(path) ?? this.#compiler.prepare(path);
    this.#compiled.set(path, compiled);
    return compiled;
  }

  #scan(path: string): ScannedFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = this.#scanText(path);
      this.#files.set(path, file);
    }
    return file;
  }

  #scanText(path: string): ScannedFile {
    try {
      // A pipe in its place would be waited for without end.
      const text = readRegular(path, MOST_SOURCE_BYTES).toString();
      return {
        needsTypeScript: isTypeScript(path) || (COMPUTED.test(text) && NAMES_TYPESCRIPT.test(text)),
        imports: specifiersIn(text).flatMap((specifier) => this.#targets(specifier, path)),
      };
    } catch {
      return isTypeScript(path) ? { ...NOTHING, needsTypeScript: true } : NOTHING;
    }
  }

  /** The files that a specifier means, as well as this can be said without loading them. */
  #targets(specifier: string, importer: string): string[] {
    if (isBuiltin(specifier)) return [];
    const wanted = pathIn(specifier, importer);
    const target = isTypeScript(importer)
      ? typeScriptTarget(wanted, importer, this.#compiler.settings)
      : null;
    const found = target === null ? nodeTargets(wanted, importer) : [target];
    return found.map(realPathOf).filter((path) => SCRIPT.test(path) && !IN_PACKAGE.test(path));
  }
}

// JavaScript may import TypeScript by a name that it computes: it has such an import, and the end of such a name in quotes.
const COMPUTED = /\b(?:import|require)\s*\(\s*(?!["'])/;
const NAMES_TYPESCRIPT = /\.[cm]?tsx?["'`]/;
const SPECIFIER = /\b(?:from|import|require|resolve|URL)\s*\(?\s*(["'`])([^"'`\n]+)\1/g;
const SCRIPT = /\.[cm]?[jt]sx?$/;
const IN_PACKAGE = /[\\/]node_modules[\\/]/;

const specifiersIn = (text: string): string[] => [
  ...new Set([...text.matchAll(SPECIFIER)].map(([, , specifier = '']) => specifier)),
];

/** Node executes what a link names, and looks from there for what that imports. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A path is absolute afterwards, any other name stays what it is. */
function pathIn(specifier: string, importer: string): string {
  const name = specifier.replace(/(?<=.)[?#].*$/s, '');
  return name.startsWith('file:') ? fileURLToPath(name) : pathOf(name, importer);
}

function nodeTargets(wanted: string, importer: string): string[] {
  try {
    return [createRequire(importer).resolve(wanted)];
  } catch {
    // There is no such file, or a package that can only be imported, and what counts are those of a workspace.
    return linkedPackageFiles(wanted, importer);
  }
}

/** What a package exports that is a link to a folder outside of node_modules. */
function linkedPackageFiles(specifier: string, importer: string): string[] {
  const name = /^(?:@[^/]+\/)?[^./@][^/]*/.exec(specifier)?.[0];
  const link = name === undefined ? null : packageFolder(name, dirname(importer));
  const folder = link === null ? null : realpathSync(link);
  if (folder === null || IN_PACKAGE.test(folder)) return [];
  const text = readRegular(join(folder, 'package.json'), MOST_SOURCE_BYTES).toString();
  const { exports }: { exports?: unknown } = Object(JSON.parse(text));
  return textsIn(exports).map((path) => resolve(folder, path));
}

/** The nearest of that name, as it is found from a folder; null for none. */
function packageFolder(name: string, from: string): string | null {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(from);
  return above === from ? null : packageFolder(name, above);
}

const textsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(Object(value)).flatMap(textsIn);
