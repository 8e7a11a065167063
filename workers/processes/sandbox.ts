/**
 * Contains child processes with bubblewrap (bwrap): what they may read and write is a view of the file system of their
 * own, and nothing that they start outlives them. `containmentOf` looks at this machine, `containedCommand` is pure.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import type { Sandbox } from '../../src/domain/policy/sandbox.ts';
import type { BuiltInTool } from '../../src/domain/tool.ts';
import { allStates, stateOf } from '../tools/state-folders.ts';

/**
 * What is at a path in the view: the file or folder itself, to read or to write; nothing (`hidden`); an empty folder that
 * is gone with the command (`private`); the few devices or the processes of the command.
 */
type PathAccess = 'read' | 'write' | 'hidden' | 'private' | 'devices' | 'processes';

export interface SandboxMount {
  /** Absolute, without links. */
  path: string;
  access: PathAccess;
  isFolder: boolean;
}

/** How the child processes of one command are contained. */
export interface Containment {
  /** Parents before what is in them, so that the deeper path counts. */
  mounts: readonly SandboxMount[];
  /** False for a network namespace of its own, in which there is nothing to reach. */
  sharesNetwork: boolean;
  /** What leads out of that namespace: a program and its arguments that runs the command; empty for nothing. */
  gateway: readonly string[];
}

/** What is to be contained. */
export interface ContainedPlace {
  /** Absolute folder that is writable. */
  workspace: string;
  /** Absolute folder of Millrace's state, which is hidden. */
  state: string;
  /** Absolute folders of the step's own, writable although they are below the state. */
  own: readonly string[];
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

/** They name sockets of agents and displays that are outside, or what unlocks these. */
const LEADS_OUTSIDE = [
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'GPG_AGENT_INFO',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
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
  if (tool !== null) addToolState(view, tool, env['HOME'] ?? homedir(), env);
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

/** Settings and hooks stay as they are: a later session, which nothing may contain, would run them. */
function addToolState(view: FileView, tool: BuiltInTool, home: string, env: ContainedPlace['env']): void {
  const { own, guarded } = stateOf(tool, home, env);
  const [folder] = own;
  if (folder !== undefined && !existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of own) view.add(path, 'write');
  for (const path of guarded) view.add(path, 'read');
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

/** A program and its arguments. */
export type Argv = [file: string, ...args: string[]];

/** SIGTERM would end bwrap, and with it at once all that it contains: it is for the command, which gets the grace. */
const PASS_OVER_SIGTERM = 'trap "" TERM; exec "$@"';
/** The first process of the command's own: it is not ended by SIGTERM, takes what others leave, and is waited for. */
const FIRST = '"$@"; exit $?';

/**
 * The command line that runs a command contained. It stays in the process group that it is started in, so that signals
 * reach it; its descendants end with it, and it ends when the process that started it does.
 */
export function containedCommand(argv: Argv, folder: string, containment: Containment): Argv {
  const { mounts, sharesNetwork, gateway } = containment;
  const options = [
    '--die-with-parent',
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(sharesNetwork ? [] : ['--unshare-net']),
    '--as-pid-1',
    '--cap-drop',
    'ALL',
    ...mounts.flatMap(mountArguments),
    ...mounts.flatMap(({ path, access, isFolder }) =>
      access === 'hidden' && isFolder ? ['--remount-ro', path] : [],
    ),
    ...LEADS_OUTSIDE.flatMap((name) => ['--unsetenv', name]),
    '--chdir',
    folder,
  ];
  const first = ['env', '--default-signal=TERM', '/bin/sh', '-c', FIRST, 'sh', ...gateway, ...argv];
  return ['/bin/sh', '-c', PASS_OVER_SIGTERM, 'sh', 'bwrap', ...options, '--', ...first];
}

function mountArguments({ path, access, isFolder }: SandboxMount): string[] {
  switch (access) {
    case 'read':
      return ['--ro-bind', path, path];
    case 'write':
      return ['--bind', path, path];
    case 'devices':
      return ['--dev', path];
    case 'processes':
      return ['--proc', path];
    case 'private':
      return ['--tmpfs', path];
    case 'hidden':
      return isFolder ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path];
  }
}

/** What bwrap itself says when it can't make the view; null for the end of a command. */
export function containmentFailure(exitCode: number | null, tail: string): Failure | null {
  const said = exitCode === 1 ? /^bwrap: ([^\n]+)\n?$/.exec(tail)?.[1] : undefined;
  return said === undefined ? null : unavailable(`bwrap could not contain its command: ${said}`);
}

let obstacle: Promise<Failure | null> | null = null;

/** Why nothing can be contained on this machine; null where it can. It is tried once in each thread. */
export function sandboxObstacle(): Promise<Failure | null> {
  obstacle ??= tryOne();
  return obstacle;
}

const INSTALL = 'Install it (package bubblewrap), or remove `sandbox` if the step may run without one.';
const ALLOW =
  'Its user may not create user namespaces here, or not mount in them: allow that (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile), or remove `sandbox`.';
const SIGNALS = 'It needs the env of GNU coreutils 8.31 or later, which knows --default-signal.';

function tryOne(): Promise<Failure | null> {
  if (process.platform !== 'linux')
    return Promise.resolve(unavailable('bubblewrap is for Linux only; remove `sandbox`'));
  const mounts: SandboxMount[] = [
    { path: '/', access: 'read', isFolder: true },
    { path: '/dev', access: 'devices', isFolder: true },
    { path: '/proc', access: 'processes', isFolder: true },
  ];
  const [file, ...args] = containedCommand(['true'], '/', { mounts, sharesNetwork: false, gateway: [] });
  return new Promise((resolve) => {
    execFile(file, args, (error, _printed, said) => {
      if (error === null) resolve(null);
      else resolve(unavailable(whyUnavailable(said.trim())));
    });
  });
}

function whyUnavailable(said: string): string {
  const [line = ''] = said.split('\n');
  if (/bwrap: (?:command )?not found/.test(said)) return `there is no bwrap on PATH. ${INSTALL}`;
  if (/default-signal/.test(said)) return `${line}. ${SIGNALS}`;
  return `bwrap can't contain anything here (${line}). ${ALLOW}`;
}
