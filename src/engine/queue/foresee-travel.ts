/** What would travel to hosts, found as a run finds it, without a queue. */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { PlannedTravel } from '../../domain/plan.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { SourceOption } from './coordinator/source.ts';
import { pathsOf } from './portable-paths.ts';
import { listSnapshot, packSnapshot, type SnapshotContent, SnapshotProblem } from './snapshot.ts';

export interface Travel {
  option: SourceOption;
  /** Absolute folder of the project. */
  project: string;
  /** Absolute folders that never travel. */
  excluded: readonly string[];
  workstreams: readonly Workstream[];
}

/** Packs the files, and keeps nothing of them. */
export async function foreseeTravel(travel: Travel): Promise<PlannedTravel> {
  const { option, project, excluded } = travel;
  if (option !== 'snapshot') {
    const source = option === 'shared' ? 'shared' : 'git';
    return { source, snapshot: null, leftOut: [], missing: missing(travel, null), obstacle: null };
  }
  const content = await listSnapshot(project, excluded);
  const { compressedBytes, obstacle } = await pack(project, content);
  return {
    source: 'snapshot',
    snapshot:
      compressedBytes === null
        ? null
        : { files: content.files.length, bytes: content.bytes, compressedBytes },
    leftOut: [...content.leftOut],
    missing: missing(travel, content),
    obstacle,
  };
}

async function pack(
  project: string,
  content: SnapshotContent,
): Promise<{ compressedBytes: number | null; obstacle: string | null }> {
  try {
    const { compressedBytes } = await packSnapshot(project, content, () => Promise.resolve());
    return { compressedBytes, obstacle: null };
  } catch (error) {
    if (error instanceof SnapshotProblem) return { compressedBytes: null, obstacle: error.message };
    throw error;
  }
}

/** @param content null where no files travel: hosts have those of a commit, or of the folder itself. */
function missing(
  { project, workstreams }: Travel,
  content: SnapshotContent | null,
): PlannedTravel['missing'] {
  const travels = content === null ? null : placesOf(content);
  return workstreams.flatMap((workstream) =>
    pathsOf(workstream, project).flatMap((path) => {
      const { id } = workstream;
      if (isAbsolute(path))
        return [{ id, what: `names ${path}, which is outside the project: each host needs it at this path` }];
      if (travels === null || travels.has(path) || !existsSync(join(project, path))) return [];
      return [{ id, what: `names ${path}, which git ignores or which can't travel: hosts do not get it` }];
    }),
  );
}

/** Paths of the files, and of the folders that they are in; the project's own is empty. */
function placesOf({ files }: SnapshotContent): Set<string> {
  const places = new Set(['', '.']);
  for (const { path } of files) {
    const parts = path.split('/');
    for (let end = 1; end <= parts.length; end += 1) places.add(parts.slice(0, end).join('/'));
  }
  return places;
}
