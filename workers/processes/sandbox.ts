/** What a contained command may read and write: a view of the file system of its own, made of what is on this machine. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import type { Sandbox } from '../../src/domain/policy/sandbox.ts';
import type { BuiltInTool } from '../../src/domain/tool.ts';
import type { Containment, PathAccess, SandboxMount } from '../../src/os/bubblewrap.ts';
import { allStates, stateOf } from '../tools/state-folders.ts';

/** What is to be contained. */
export interface ContainedPlace {
  /** Absolute folder that is writable. */
  workspace: string;
  /** Absolute folder of Millrace's state, which is hidden. */
  state: string;
  /** Absolute folders of the step's own, writable although they are below the state. */
  own: readonly string[];
  /** Absolute folder for copies of what is not to be changed. */
  copies: string;
  /** Whose state is writable; null for no tool. */
  tool: BuiltInTool | null;
  /** The variables of the command, inherited ones included. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Of `$HOME`: keys, logins, histories, and what browsers keep. */
const SECRET_IN_HOME = [
  '.ssh',
  '.aws',
  '.azure',
  '.gnupg',
  '.docker',
  '.kube',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.pgpass',
  '.git-credentials',
  '.password-store',
  '.vault-token',
  '.terraform.d',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.gem/credentials',
  '.config/gh',
  '.config/hub',
  '.config/glab-cli',
  '.config/gcloud',
  '.config/git/credentials',
  '.config/containers/auth.json',
  '.local/share/keyrings',
  '.bash_history',
  '.zsh_history',
  '.mozilla',
  '.thunderbird',
  '.cache/mozilla',
  '.cache/google-chrome',
  '.cache/chromium',
  '.config/google-chrome',
  '.config/chromium',
  '.config/BraveSoftware',
  '.config/microsoft-edge',
  '.config/vivaldi',
  '.config/opera',
  'snap/firefox',
  'snap/chromium',
  '.var/app',
];

/** Folders for files of any program, and for sockets: connecting to one needs no writable file system. */
const PRIVATE = ['/tmp', '/var/tmp', '/run', '/var/run'];
/** Programs and names of NixOS, and what /etc/resolv.conf leads to, are in /run. */
const READ_IN_PRIVATE = ['/run/current-system', '/run/wrappers', '/run/opengl-driver', '/etc/resolv.conf'];

/** Makes the view of one command; a failure where the sandbox names what is not there. */
export function containmentOf(sandbox: Sandbox, place: ContainedPlace): Containment | Failure {
  const view = new FileView();
  const { workspace, state, own, tool, env } = place;
  view.add('/', 'read');
  view.add('/dev', 'devices');
  view.add('/proc', 'processes');
  for (const path of [...PRIVATE, tmpdir()]) view.add(path, 'private');
  for (const path of READ_IN_PRIVATE) view.add(path, 'read');
  const homes = new Set([homedir(), userInfo().homedir, env['HOME'] ?? homedir()]);
  for (const home of homes) {
    view.add(home, 'read');
    for (const name of SECRET_IN_HOME) view.add(join(home, name), 'hidden');
    for (const path of allStates(home, env)) view.add(path, 'hidden');
  }
  view.add(env['SSH_AUTH_SOCK'] ?? '', 'hidden');
  // Where that is below a private one.
  view.add(process.cwd(), 'read');
  view.add(state, 'hidden');
  view.add(workspace, 'write');
  for (const path of own) view.add(path, 'write');
  const unguarded = tool === null ? null : addToolState(view, tool, place);
  if (unguarded !== null) return unguarded;
  addRepository(view, workspace);
  // It names commands that Millrace runs outside.
  view.add(join(workspace, 'millrace.config.json'), 'read');
  const missing = addOwn(view, sandbox, workspace);
  if (missing !== null) return missing;
  return { mounts: view.mounts, sharesNetwork: true, gateway: [] };
}

/** PathAccess by path; what is said later counts. */
class FileView {
  readonly #mounts = new Map<string, SandboxMount>();

  /** Does nothing for a path at which there is nothing; returns whether there is something. */
  add(path: string, access: PathAccess): boolean {
    const real = path === '' ? null : realOf(path);
    if (real === null) return false;
    this.#mounts.set(real.path, { ...real, access });
    return true;
  }

  /** Has a copy of a file in its place, in which what is written is lost. */
  addCopy(path: string, folder: string): void {
    const real = realOf(path);
    if (real === null) return;
    const source = join(folder, basename(path));
    copyFileSync(real.path, source);
    this.#mounts.set(real.path, { ...real, source, access: 'write' });
  }

  get mounts(): SandboxMount[] {
    return [...this.#mounts.values()].toSorted((a, b) => depthOf(a.path) - depthOf(b.path));
  }
}

const depthOf = (path: string): number => (path === '/' ? 0 : path.split(sep).length);

/** Links are followed here: those inside of the view must not decide what is mounted. */
function realOf(path: string): { path: string; isFolder: boolean } | null {
  try {
    const real = realpathSync(path);
    return { path: real, isFolder: statSync(real).isDirectory() };
  } catch {
    // There is nothing, or nothing that this user may look at.
    return null;
  }
}

/**
 * Settings and hooks stay as they are: a later session, which nothing may contain, would run them. Those that are not there
 * are made empty, because contained work could make them otherwise. Returns why that can't be ensured; null where it is.
 */
function addToolState(view: FileView, tool: BuiltInTool, place: ContainedPlace): Failure | null {
  const { env } = place;
  const { own, guarded, copied, caches } = stateOf(tool, env['HOME'] ?? homedir(), env);
  const [folder] = own;
  if (folder !== undefined && !existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of own) view.add(path, 'write');
  for (const path of caches) addCache(view, path);
  for (const path of copied) view.addCopy(path, place.copies);
  for (const { path, empty } of guarded) {
    if (!existsSync(dirname(path))) continue;
    if (isLink(path))
      return unavailable(
        `${path} is a link, which contained work could replace to have later sessions of ${tool} run its commands: put what it leads to in its place`,
      );
    makeEmpty(path, empty);
    view.add(path, 'read');
  }
  return null;
}

/** A cache is read, and what is added there is gone with the command. */
function addCache(view: FileView, path: string): void {
  if (!view.add(path, 'private')) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) view.add(join(path, entry.name), 'read');
}

const isLink = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

/** Leaves what is there. */
function makeEmpty(path: string, text: string | null): void {
  if (existsSync(path)) return;
  if (text === null) mkdirSync(path, { mode: 0o700 });
  else writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
}

/**
 * Git reads in the workspace and writes nothing: in a repository whose hooks or configuration can be written, and in a
 * `.git` file that can be replaced, code could be planted that git runs outside. Millrace commits what was changed.
 */
function addRepository(view: FileView, workspace: string): void {
  for (let folder = workspace; ; folder = dirname(folder)) {
    const entry = join(folder, '.git');
    if (view.add(entry, 'read')) {
      const linked = linkedRepository(entry);
      if (linked !== null) for (const path of linked) view.add(path, 'read');
      return;
    }
    if (folder === dirname(folder)) return;
  }
}

/** The folder of a worktree within its repository, and the repository itself; null where `.git` is a folder. */
function linkedRepository(entry: string): string[] | null {
  if (statSync(entry).isDirectory()) return null;
  const named = /^gitdir: (.+)$/m.exec(readFileSync(entry, 'utf8'))?.[1];
  if (named === undefined) return null;
  const own = resolve(dirname(entry), named);
  const common = join(own, 'commondir');
  return existsSync(common) ? [own, resolve(own, readFileSync(common, 'utf8').trim())] : [own];
}

/** What the user names counts, also against what is hidden or read-only otherwise. */
function addOwn(view: FileView, sandbox: Sandbox, workspace: string): Failure | null {
  const all = [
    ...sandbox.read.map((path) => ({ path, access: 'read' as const })),
    ...sandbox.write.map((path) => ({ path, access: 'write' as const })),
    ...sandbox.hide.map((path) => ({ path, access: 'hidden' as const })),
  ];
  for (const { path, access } of all) {
    const absolute = resolve(workspace, path.replace(/^~(?=\/|$)/, homedir()));
    // What is not there is hidden.
    if (view.add(absolute, access) || access === 'hidden') continue;
    return unavailable(`there is nothing at ${absolute}, which \`${access}\` of its sandbox names`);
  }
  return null;
}

/** The folder of Millrace's state, by the log of an execution in it: STATE/logs/RUN/NAME.log. */
export function stateFolderOf(logFile: string): string {
  const logs = dirname(dirname(logFile));
  return basename(logs) === 'logs' ? dirname(logs) : dirname(logFile);
}

export const unavailable = (detail: string): Failure => ({ reason: 'sandbox-unavailable', detail });

/** What bwrap itself says when it can't make the view; null for the end of a command. */
export function containmentFailure(exitCode: number | null, tail: string): Failure | null {
  const said = exitCode === 1 ? /^bwrap: ([^\n]+)\n?$/.exec(tail)?.[1] : undefined;
  return said === undefined ? null : unavailable(`bwrap could not contain its command: ${said}`);
}
