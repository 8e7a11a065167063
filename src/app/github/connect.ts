/** What the commands for GitHub begin with: the repository, its remote, and the API with a token. */
import { GitHubApi } from '../../github/api.ts';
import { findToken, type GitHubPlace, NO_TOKEN, placeOf } from '../../github/place.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { openDatabase } from '../../store/schema/database.ts';
import { StoreError } from '../../store/schema/store-error.ts';
import { type GitHubLink, saveFeedback, saveLink } from '../../store/write/published.ts';
import { findRemote, type Remote } from '../../worktree/remote/remote.ts';
import { findRepository, type Repository } from '../../worktree/repository.ts';
import { makeStateFolder, type Paths } from '../paths.ts';
import { Refusal } from '../refusal.ts';

/** What a person may say of where things are. */
export interface Where {
  /** Name of the remote; null for the usual one. */
  remote: string | null;
  /** `OWNER/NAME`; null for that of the remote. */
  repository: string | null;
}

export interface Connected {
  repository: Repository;
  /** Null where the repository has none. */
  remote: Remote | null;
}

/** @throws Refusal with exit code 2 where there is no repository, or no remote of that name. */
export async function findCheckout(cwd: string, { remote: name }: Where): Promise<Connected> {
  const repository = await findRepository(cwd);
  if ('why' in repository)
    throw new Refusal(2, `There is no git repository to work with here: ${repository.why}.`);
  const remote = await findRemote(repository, name);
  if (remote === null && name !== null)
    throw new Refusal(2, `There is no remote "${name}" in ${repository.root}. See: git remote -v`);
  return { repository, remote };
}

/** An API, and the repository that it is asked about. */
export interface GitHub {
  api: GitHubApi;
  place: GitHubPlace;
}

/** @throws Refusal with exit code 2 where it is not known which repository is meant, and without a token. */
export async function connect(
  { repository }: Where,
  remote: Remote | null,
  notify: (sentence: string) => void,
): Promise<GitHub> {
  const { env } = process;
  const place = placeOf({ repository, remoteUrl: remote?.url ?? null, env });
  if (typeof place === 'string') throw new Refusal(2, place);
  const token = await findToken(place, env);
  if (token === null) throw new Refusal(2, NO_TOKEN);
  return { api: new GitHubApi(place, token, { notify }), place };
}

/** Opens the database where something is to be kept, and only then. */
export class PublishedStore {
  readonly #paths: Paths;
  #connection: Connection | null = null;
  /** What could not be kept, in a sentence each. */
  readonly problems: string[] = [];

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  link(link: GitHubLink): void {
    this.#keep((connection) => saveLink(connection, link));
  }

  feedback(feedback: Parameters<typeof saveFeedback>[1]): void {
    this.#keep((connection) => saveFeedback(connection, feedback));
  }

  close(): void {
    this.#connection?.close();
  }

  /** What is on GitHub is found again by its mark, so that a database that refuses ends nothing. */
  #keep(write: (connection: Connection) => void): void {
    try {
      if (this.#connection === null) {
        makeStateFolder(this.#paths.state);
        this.#connection = openDatabase(this.#paths.database);
      }
      write(this.#connection);
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof Refusal)) throw error;
      if (!this.problems.includes(error.message)) this.problems.push(error.message);
    }
  }
}
