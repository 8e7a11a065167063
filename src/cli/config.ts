/** Options from `millrace.config.json` and from `MILLRACE_…` variables. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isFields, type Json } from '../domain/json.ts';
import type { Project } from '../domain/project.ts';
import { machineName } from '../os/machine.ts';
import { nearest } from '../text/nearest.ts';
import type { OptionKind } from './options.ts';
import { UsageError } from './usage-error.ts';

type Kinds = ReadonlyMap<string, OptionKind>;
type Values = Record<string, string | number | boolean>;

export const CONFIG_FILE = 'millrace.config.json';

/** Keys that are no options but describe the project; `readProject` reads them. */
const SECTIONS: ReadonlySet<string> = new Set([
  'tools',
  'capabilities',
  'gates',
  'merge_tests',
  'co_authors',
  'worktree',
  'shell',
  'tracks',
  'redact',
]);

/** Options for one machine each, by its name. */
const MACHINES = 'machines';

/**
 * The options in the configuration file of `folder`, overridden by those of the environment. Flags win over both.
 * @throws UsageError for a file that can't be read, an unknown option, or a value of the wrong type.
 */
export async function readConfig(folder: string, env: NodeJS.ProcessEnv, kinds: Kinds): Promise<Values> {
  return { ...(await fromFile(join(folder, CONFIG_FILE), kinds)), ...fromEnvironment(env, kinds) };
}

/**
 * The tools, agents and workspaces that the configuration file of `folder` describes.
 * @throws UsageError for a file that can't be read and for what can't be used in it.
 */
export async function readProject(folder: string): Promise<Project> {
  const content = await parseFile(join(folder, CONFIG_FILE));
  const { fieldsAt, projectSchema } = await import('../domain/project.ts');
  const sections = Object.entries(content).filter(([key, value]) => isSection(key, value));
  const parsed = projectSchema.safeParse(Object.fromEntries(sections));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const { code, path, message } = issue;
    const known = fieldsAt(path);
    const text = code === 'unrecognized_keys' && known !== null ? unknownFields(issue.keys, known) : message;
    return `${path.join('.')}: ${text}`;
  });
  throw new UsageError(`${CONFIG_FILE}: ${problems.join('; ')}.`);
}

function unknownFields(names: readonly string[], known: readonly string[]): string {
  return names
    .map((name) => {
      const meant = nearest(name, known);
      const hint =
        meant === null ? `known are ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
      return `there is no field ${JSON.stringify(name)} here; ${hint}`;
    })
    .join(', ');
}

/** A number of agents is an option, a list of them describes each. */
const isSection = (key: string, value: unknown): boolean =>
  SECTIONS.has(key) || (key === 'agents' && Array.isArray(value));

async function fromFile(path: string, kinds: Kinds): Promise<Values> {
  const content = Object.entries(await parseFile(path));
  const options = content.filter(
    ([key, value]) => key !== '$schema' && key !== MACHINES && !isSection(key, value),
  );
  const values = optionsOf(options, kinds);
  const agents = content.find(([key]) => key === 'agents')?.[1];
  if (Array.isArray(agents)) values['agents'] = agents.length;
  const machines = content.find(([key]) => key === MACHINES)?.[1];
  return machines === undefined ? values : { ...values, ...ofThisMachine(machines, kinds) };
}

/** An option may be written as `log-file` or as `logFile`, and not as both. */
function optionsOf(content: readonly [string, unknown][], kinds: Kinds): Values {
  const keys = new Map<string, string>();
  const values: Values = {};
  for (const [key, value] of content) {
    const earlier = keys.get(kebab(key));
    if (earlier !== undefined)
      throw new UsageError(`${CONFIG_FILE}: "${key}" is given twice, as "${earlier}" too; keep one of them.`);
    keys.set(kebab(key), key);
    Object.assign(values, checked(key, value, kinds));
  }
  return values;
}

/** The options for this machine; those for others are checked as well. */
function ofThisMachine(machines: unknown, kinds: Kinds): Values {
  const name = machineName();
  let own: Values = {};
  for (const [machine, options] of Object.entries(asObject(MACHINES, machines))) {
    const values = optionsOf(Object.entries(asObject(`${MACHINES}.${machine}`, options)), kinds);
    if (machine === name) own = values;
  }
  return own;
}

function asObject(what: string, value: unknown): object {
  if (isFields(value)) return value;
  throw new UsageError(`${CONFIG_FILE}: "${what}" must be an object, such as { "agents": 4 }.`);
}

/** As a workstream file is read: with comments, a byte order mark, and no deeper than recursive code can take. */
async function parseFile(path: string): Promise<object> {
  if (!existsSync(path)) return {};
  // What reads JSON with comments takes its time to load, and most folders have no such file.
  const [{ readFile }, { parse }, { placesOf }, { repeatedKeys, repeatedMessage }] = await Promise.all([
    import('../workstream/read-file.ts'),
    import('../workstream/parse.ts'),
    import('../workstream/locate.ts'),
    import('../workstream/size-limits.ts'),
  ]);
  const refuse = (message: string, at: { text: string; offset: number } | null): UsageError => {
    const [place] = at === null ? [] : placesOf(at.text, [at.offset]);
    return new UsageError(
      `${CONFIG_FILE}${place === undefined ? '' : `:${place.line}:${place.column}`}: ${message}.`,
    );
  };
  const file = readFile(path);
  if (file.kind === 'folder') throw refuse('it is a folder', null);
  if (file.kind === 'unusable') throw refuse(file.message, file.at);
  const { text } = file;
  const parsed = parse(text);
  if (!parsed.ok) {
    const [first = { message: 'it is not JSON', offset: 0 }] = parsed.problems;
    throw refuse(first.message, { text, offset: first.offset });
  }
  const content = parsed.value;
  const [repeated] = repeatedKeys(text, parsed);
  if (repeated !== undefined) {
    const { path: key, offsets } = repeated;
    const others = placesOf(text, offsets.slice(0, -1));
    throw refuse(`${key.join('.')}: ${repeatedMessage(others)}`, { text, offset: offsets.at(-1) ?? 0 });
  }
  if (!isFields(content)) throw refuse('expected an object with options, such as { "agents": 4 }', null);
  const reserved = reservedName(content, '');
  if (reserved !== null) throw refuse(`${reserved}: this name is reserved; expected another`, null);
  return content;
}

/** The path of a key `__proto__`, which the schema of the sections would drop silently; null where there is none. */
function reservedName(value: Json, path: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, child] of Object.entries(value)) {
    const here = path === '' ? name : `${path}.${name}`;
    const found = name === '__proto__' ? here : reservedName(child, here);
    if (found !== null) return found;
  }
  return null;
}

function checked(key: string, value: unknown, kinds: Kinds): Values {
  const name = kebab(key);
  const kind = kinds.get(name);
  if (kind === undefined) {
    const meant = nearest(name, [...kinds.keys(), ...SECTIONS, MACHINES]);
    const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
    throw new UsageError(`${CONFIG_FILE}: there is no option "${key}".${hint}`);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    if (typeof value === 'string' && value.trim() === '')
      throw new UsageError(`${CONFIG_FILE}: "${key}" is empty; give it a value, or leave it out.`);
    if (typeof value === 'string' && value.includes('\0'))
      throw new UsageError(`${CONFIG_FILE}: "${key}" must be text without NUL characters.`);
    if (typeof value === kind || ALSO[kind]?.(value) === true) return { [name]: value };
  }
  throw new UsageError(`${CONFIG_FILE}: "${key}" must be ${KINDS[kind]}.`);
}

/** What an option of a kind that is no type may be. */
const ALSO: Partial<Record<OptionKind, (value: string | number | boolean) => boolean>> = {
  count: (value) => typeof value === 'number' || value === 'auto',
  amount: (value) => typeof value !== 'boolean',
  threshold: () => true,
};

const KINDS: Record<OptionKind, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'a boolean',
  count: 'a number or "auto"',
  amount: 'a number or a string',
  threshold: 'a number, a percentage or a boolean',
};

/** Only variables that name a known option: others, such as MILLRACE_RUN_ID of a workstream's own, are none. */
function fromEnvironment(env: NodeJS.ProcessEnv, kinds: Kinds): Values {
  const values: Values = {};
  for (const [name, kind] of kinds) {
    const variable = variableOf(name);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    values[name] = converted(variable, text, kind);
  }
  return values;
}

/** The variable that sets an option. */
export const variableOf = (option: string): string => `MILLRACE_${option.toUpperCase().replaceAll('-', '_')}`;

function converted(variable: string, text: string, kind: OptionKind): string | number | boolean {
  if (kind === 'string' || kind === 'amount' || kind === 'threshold') return text;
  if (kind === 'count' && text === 'auto') return text;
  if ((kind === 'number' || kind === 'count') && Number.isFinite(Number(text))) return Number(text);
  if (kind === 'boolean' && /^(true|1|false|0)$/i.test(text)) return /^(true|1)$/i.test(text);
  throw new UsageError(`${variable} must be ${KINDS[kind]}, and is "${text}".`);
}

/** The parser and the file take `maxOutput` for `max-output`. */
export const kebab = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
