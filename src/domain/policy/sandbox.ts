/** What the child processes of a step may read, write and reach. `sandbox-file.ts` has what a person writes. */
/** The programs that can contain a step; `none` undoes what the workstream or the configuration says. */
export const SANDBOX_KINDS = ['bwrap', 'none'] as const;

/** Paths are relative to the workspace, or begin with `/` or `~/`. Of two that contain each other the deeper one counts. */
export interface Sandbox {
  kind: (typeof SANDBOX_KINDS)[number];
  /** Writable beside the workspace. */
  write: string[];
  /** Readable although they are hidden otherwise. */
  read: string[];
  /** Neither readable nor writable. */
  hide: string[];
}

/** All of it, none of it, or these hosts, as `host`, `*.host` or `host:port`; without a port those of HTTP and HTTPS. */
export type Network = 'all' | 'none' | string[];

/** What one definition says about containing; null where it leaves that to the next. */
export interface Containing {
  sandbox: Sandbox | null;
  network: Network | null;
}

/** For a definition that says nothing. Never changed. */
export const NOT_SAID: Containing = { sandbox: null, network: null };
