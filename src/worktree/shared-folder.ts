/** Workspaces that are the folder Millrace was started in: what changes there is known by looking, before and after. */
import picomatch from 'picomatch';
import type { Changes, ChangedFile } from '../domain/changes.ts';
import type { Workstream } from '../domain/workstream.ts';
import { listed } from './listed.ts';
import { compareLooks, contentHash, lookAtScopes, type ScopeLook, splitScopes } from './scope-look.ts';

/** A workstream and what it owns. */
interface Owner {
  readonly workstreamId: string;
  readonly scopes: readonly string[];
}

/** One attempt in the shared folder. */
export interface Stay {
  readonly owner: Owner;
  readonly before: ScopeLook;
  /** Those that were there at the same time, at any moment of it. */
  readonly beside: Set<Owner>;
}

/** Keeps account of who is in the folder when. */
export class SharedFolder {
  readonly #folder: string;
  readonly #stateFolder: string;
  readonly #active = new Set<Stay>();

  constructor(folder: string, stateFolder: string) {
    this.#folder = folder;
    this.#stateFolder = stateFolder;
  }

  /** Looks at the scopes of a workstream that is about to begin. @throws where a file can't be looked at */
  async enter({ id, filesScope, filesCreate }: Workstream): Promise<Stay> {
    const scopes = [...new Set([...filesScope, ...filesCreate])];
    const before = await lookAtScopes(this.#folder, scopes, this.#stateFolder);
    const owner = { workstreamId: id, scopes };
    const stay: Stay = { owner, before, beside: new Set([...this.#active].map((other) => other.owner)) };
    for (const other of this.#active) other.beside.add(owner);
    this.#active.add(stay);
    return stay;
  }

  /**
   * What has changed in its scopes since it entered, without what others who were there at the same time own too.
   * From here on it counts as gone. @throws where a file can't be looked at
   */
  async changes(stay: Stay, notes: readonly string[]): Promise<Changes> {
    const after = await lookAtScopes(this.#folder, stay.owner.scopes, this.#stateFolder);
    this.leave(stay);
    const { own, disputed } = attribute(stay, compareLooks(stay.before, after));
    const silent = [...stay.beside].filter(({ scopes }) => scopes.length === 0);
    return {
      source: 'scope-look',
      files: own,
      commits: [],
      branch: null,
      base: null,
      head: null,
      contentHash: await contentHash(this.#folder, own),
      conflictMarkers: [],
      notes: [
        ...notes,
        ...(stay.owner.scopes.length === 0
          ? ['It names no files_scope, so what it changed is not known.']
          : []),
        ...[...disputed].map(
          ([other, paths]) =>
            `${other} ran at the same time and owns these files too, so who changed them is not known: ${listed(paths)}.`,
        ),
        ...(own.length > 0 && silent.length > 0 ? [silentNote(silent)] : []),
      ],
    };
  }

  /** It is no longer at work. */
  leave(stay: Stay): void {
    this.#active.delete(stay);
  }
}

/** Divides changes into its own and those that others may have made, by who that is. */
function attribute(
  { beside }: Stay,
  files: readonly ChangedFile[],
): { own: ChangedFile[]; disputed: Map<string, string[]> } {
  const others = [...beside].map(({ workstreamId, scopes }) => ({ workstreamId, owns: matcher(scopes) }));
  const disputed = new Map<string, string[]>();
  const own = files.filter(({ path }) => {
    const owners = others.filter(({ owns }) => owns(path));
    for (const { workstreamId } of owners)
      disputed.set(workstreamId, [...(disputed.get(workstreamId) ?? []), path]);
    return owners.length === 0;
  });
  return { own, disputed };
}

/** Whether a path is in the scopes, or below one that is a folder. */
function matcher(scopes: readonly string[]): (path: string) => boolean {
  const { owned, ignored } = splitScopes(scopes);
  if (owned.length === 0) return () => false;
  const withFolders = owned.flatMap((scope) => [scope, `${scope.replace(/\/$/, '')}/**`]);
  return picomatch(withFolders, { dot: true, ignore: ignored });
}

function silentNote(silent: readonly Owner[]): string {
  const ids = listed(silent.map(({ workstreamId }) => workstreamId));
  return `Also at work at the same time, without a files_scope, so they may have changed these files: ${ids}.`;
}
