/**
 * Contains child processes with bubblewrap (bwrap): what they may read and write is a view of the file system of their
 * own, and nothing that they start outlives them. `containedCommand` is pure; `sandboxObstacle` tries it on this machine.
 */
import { execFile } from 'node:child_process';

/**
 * What is at a path in the view: the file or folder itself, to read or to write; nothing (`hidden`); an empty folder that
 * is gone with the command (`private`); the few devices or the processes of the command.
 */
export type PathAccess = 'read' | 'write' | 'hidden' | 'private' | 'devices' | 'processes';

export interface SandboxMount {
  /** Absolute, without links. */
  path: string;
  /** What is there instead, absolute. Default: the path itself. */
  source?: string;
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

function mountArguments({ path, source = path, access, isFolder }: SandboxMount): string[] {
  switch (access) {
    case 'read':
      return ['--ro-bind', source, path];
    case 'write':
      return ['--bind', source, path];
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

let obstacle: Promise<string | null> | null = null;

/** Why nothing can be contained on this machine; null where it can. It is tried once in each thread. */
export function sandboxObstacle(): Promise<string | null> {
  obstacle ??= tryOne();
  return obstacle;
}

const INSTALL = 'Install it (package bubblewrap), or remove `sandbox` if the step may run without one.';
const ALLOW =
  'Its user may not create user namespaces here, or not mount in them: allow that (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile), or remove `sandbox`.';
const SIGNALS = 'It needs the env of GNU coreutils 8.31 or later, which knows --default-signal.';

function tryOne(): Promise<string | null> {
  if (process.platform !== 'linux') return Promise.resolve('bubblewrap is for Linux only; remove `sandbox`');
  const mounts: SandboxMount[] = [
    { path: '/', access: 'read', isFolder: true },
    { path: '/dev', access: 'devices', isFolder: true },
    { path: '/proc', access: 'processes', isFolder: true },
  ];
  const [file, ...args] = containedCommand(['true'], '/', { mounts, sharesNetwork: false, gateway: [] });
  return new Promise((resolve) => {
    execFile(file, args, (error, _printed, said) => {
      if (error === null) resolve(null);
      else resolve(whyUnavailable(said.trim()));
    });
  });
}

function whyUnavailable(said: string): string {
  const [line = ''] = said.split('\n');
  if (/bwrap: (?:command )?not found/.test(said)) return `there is no bwrap on PATH. ${INSTALL}`;
  if (/default-signal/.test(said)) return `${line}. ${SIGNALS}`;
  return `bwrap can't contain anything here (${line}). ${ALLOW}`;
}
