/** What decides, beside its own text, how a TypeScript file is compiled and what its imports mean. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Cache, createPathsMatcher, getTsconfig, type TsConfigResult } from 'get-tsconfig';

/** Options of a tsconfig.json that change what a file does, and not only whether it is correct. */
const OPTIONS = [
  'alwaysStrict',
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'strict',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
] as const;

export interface FileSettings {
  /** `type` of the nearest package.json; null where that has none, and where there is no package.json. */
  packageType: 'module' | 'commonjs' | null;
  /** `module` of the nearest tsconfig.json in lower case; null for none. */
  module: string | null;
  /** What esbuild is told of that tsconfig.json. */
  compilerOptions: Readonly<Record<string, unknown>>;
  /** Absolute paths that its `paths` and `baseUrl` name for a specifier that is not relative, the first choice first. */
  mapped(specifier: string): readonly string[];
}

/** Reads the settings of files, each package.json and tsconfig.json once. */
export class SettingsReader {
  readonly #byFolder = new Map<string, FileSettings>();
  readonly #byTsconfig = new Map<string, Omit<FileSettings, 'packageType'>>();
  readonly #packageTypes = new Map<string, FileSettings['packageType']>();
  /** Of what `getTsconfig` has found. */
  readonly #found: Cache = new Map();

  /**
   * The settings of the file at an absolute path.
   * @throws Error for a package.json or a tsconfig.json that can't be read, or of which what it extends is missing.
   */
  of(file: string): FileSettings {
    const folder = dirname(file);
    let settings = this.#byFolder.get(folder);
    if (settings === undefined) {
      settings = { packageType: this.#packageType(folder), ...this.#compilerSettings(folder) };
      this.#byFolder.set(folder, settings);
    }
    return settings;
  }

  #packageType(folder: string): FileSettings['packageType'] {
    const known = this.#packageTypes.get(folder);
    if (known !== undefined) return known;
    const text = textOf(join(folder, 'package.json'));
    const above = dirname(folder);
    const type = text !== null ? typeIn(text, folder) : above === folder ? null : this.#packageType(above);
    this.#packageTypes.set(folder, type);
    return type;
  }

  #compilerSettings(folder: string): Omit<FileSettings, 'packageType'> {
    const tsconfig = this.#tsconfigOf(folder);
    const path = tsconfig?.path ?? '';
    let settings = this.#byTsconfig.get(path);
    if (settings === undefined) {
      settings = compilerSettings(tsconfig);
      this.#byTsconfig.set(path, settings);
    }
    return settings;
  }

  #tsconfigOf(folder: string): TsConfigResult | null {
    try {
      return getTsconfig(folder, 'tsconfig.json', this.#found);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The tsconfig.json that ${folder} belongs to can't be used: ${why}`, { cause: error });
    }
  }
}

function compilerSettings(tsconfig: TsConfigResult | null): Omit<FileSettings, 'packageType'> {
  const given: Record<string, unknown> = { ...tsconfig?.config.compilerOptions };
  const compilerOptions = Object.fromEntries(
    OPTIONS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
  const match = tsconfig === null ? null : createPathsMatcher(tsconfig);
  return {
    module: typeof given['module'] === 'string' ? given['module'].toLowerCase() : null,
    compilerOptions,
    mapped: (specifier) => match?.(specifier) ?? [],
  };
}

/** Null for no such file. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function typeIn(text: string, folder: string): FileSettings['packageType'] {
  try {
    const { type }: { type?: unknown } = Object(JSON.parse(text));
    return type === 'module' || type === 'commonjs' ? type : null;
  } catch (error) {
    throw new Error(`${join(folder, 'package.json')} is not JSON`, { cause: error });
  }
}
