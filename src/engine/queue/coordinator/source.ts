/** Where hosts get the files of the project from. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../../text/error-message.ts';
import { type Bodies, OWNERS } from '../bodies.ts';
import type { ProjectSource } from '../protocol.ts';
import { listSnapshot, packSnapshot, type SnapshotContent } from '../snapshot.ts';

/** What `--source` says. */
export type SourceOption = 'snapshot' | 'shared' | `git:${string}`;

/** The project's files can't be brought to hosts; the message is a sentence for a person. */
class SourceProblem extends Error {
  override name = 'SourceProblem';
}

export interface SourceMaterial {
  option: SourceOption;
  /** Absolute folder of the project. */
  project: string;
  /** Absolute folders that never travel. */
  excluded: readonly string[];
  /** Where an earlier session of the run got them from, if that is to be gone on with; null else. */
  earlier: ProjectSource | null;
  bodies: Bodies;
  /** Resolves when Redis may be used: what needs none of it is done before. */
  usable: Promise<unknown>;
}

/** The source of a run, which is kept in Redis for as long as it is needed. */
export class RunSource {
  readonly source: ProjectSource;
  /** Sentences for a person. */
  readonly notices: readonly string[];
  readonly #pack: () => Promise<void>;
  readonly #bodies: Bodies;

  constructor(made: {
    source: ProjectSource;
    notices: readonly string[];
    pack: () => Promise<void>;
    bodies: Bodies;
  }) {
    this.source = made.source;
    this.notices = made.notices;
    this.#pack = made.pack;
    this.#bodies = made.bodies;
  }

  /** @throws SourceProblem, SnapshotProblem */
  static async prepare(material: SourceMaterial): Promise<RunSource> {
    const { option, project, bodies } = material;
    const nothing = async (): Promise<void> => undefined;
    if (option === 'shared')
      return new RunSource({
        source: { kind: 'shared', folder: project },
        notices: [],
        pack: nothing,
        bodies,
      });
    if (option !== 'snapshot')
      return new RunSource({
        ...(await gitSource(option.slice('git:'.length), project)),
        pack: nothing,
        bodies,
      });
    const earlier = await earlierSnapshot(material);
    return earlier ?? publishSnapshot(material);
  }

  /** Lets what hosts read live on, and stores it again where it has gone. */
  async keep(): Promise<void> {
    if (this.source.kind === 'snapshot' && !(await isThere(this.source, this.#bodies))) await this.#pack();
  }
}

const isThere = ({ sha256, body }: SnapshotSource, bodies: Bodies): Promise<boolean> =>
  bodies.keep(OWNERS.snapshot(sha256), body);

type SnapshotSource = Extract<ProjectSource, { kind: 'snapshot' }>;

/** The files that the process of the run that died had sent, where they are in Redis still. */
async function earlierSnapshot(material: SourceMaterial): Promise<RunSource | null> {
  const { earlier, bodies, usable } = material;
  if (earlier?.kind !== 'snapshot') return null;
  await usable;
  if (!(await isThere(earlier, bodies))) return null;
  // It may be another one by then: hosts refuse what is not what they were told.
  const pack = async (): Promise<void> => {
    await publishSnapshot(material);
  };
  return new RunSource({ source: earlier, bodies, pack, notices: [] });
}

async function publishSnapshot({ project, excluded, bodies, usable }: SourceMaterial): Promise<RunSource> {
  const content = await listSnapshot(project, excluded);
  const pieces: Buffer[] = [];
  const { hash, compressedBytes } = await packSnapshot(project, content, async (piece) => {
    pieces.push(piece);
  });
  await usable;
  const store = (): Promise<string[]> => bodies.store(OWNERS.snapshot(hash), pieces);
  const source: ProjectSource = {
    kind: 'snapshot',
    sha256: hash,
    bytes: compressedBytes,
    body: await store(),
  };
  const pack = async (): Promise<void> => {
    await store();
  };
  return new RunSource({ source, bodies, pack, notices: leftOutSentences(content) });
}

const MOST_NAMED = 5;

/** What is part of the project and does not travel, in a sentence. */
function leftOutSentences({ leftOut }: Pick<SnapshotContent, 'leftOut'>): string[] {
  if (leftOut.length === 0) return [];
  const named = leftOut.slice(0, MOST_NAMED).map(({ path, why }) => `${path} (${why})`);
  const more = leftOut.length > MOST_NAMED ? ` and ${leftOut.length - MOST_NAMED} more` : '';
  return [`Hosts do not get ${named.join(', ')}${more}.`];
}

const execFileAsync = promisify(execFile);

async function gitSource(
  url: string,
  project: string,
): Promise<{ source: ProjectSource; notices: readonly string[] }> {
  try {
    const { stdout: commit } = await execFileAsync('git', ['rev-parse', 'HEAD'], { cwd: project });
    const { stdout: changes } = await execFileAsync(
      'git',
      ['status', '--porcelain', '--untracked-files=no'],
      {
        cwd: project,
      },
    );
    const notices =
      changes === ''
        ? []
        : [
            `Hosts get the commit ${commit.slice(0, 12)}, without what was changed here since and is not committed.`,
          ];
    return { source: { kind: 'git', url, commit: commit.trim() }, notices };
  } catch (error) {
    throw new SourceProblem(
      `--source git:URL needs a commit to name, and git knows none here: ${messageOf(error).trim()}`,
    );
  }
}
