/** Which repository of which GitHub is meant, and with whose rights. */
import { execFile } from 'node:child_process';

/** A repository on a GitHub. */
export interface GitHubPlace {
  /** Where its API is, without a slash at the end. */
  apiUrl: string;
  owner: string;
  name: string;
  /** `host/owner/name`: how the database knows it. */
  key: string;
}

const PUBLIC_HOST = 'github.com';
const PUBLIC_API = 'https://api.github.com';

/** What a place is found by. */
export interface PlaceSources {
  /** What a person named, as `OWNER/NAME`; null for nothing. */
  repository: string | null;
  /** Address of the remote; null where there is none. */
  remoteUrl: string | null;
  env: NodeJS.ProcessEnv;
}

const OWNER_AND_NAME = /^([\w.-]+)\/([\w.-]+?)(?:\.git)?$/;

/**
 * The repository that is meant, or in a sentence why it is not known. A name that a person gives goes before the address
 * of the remote, and that before `GITHUB_REPOSITORY`. The address counts only where it is on the GitHub of the API: its
 * owner and name would mean a repository of somebody else there, and another host must not get the token.
 */
export function placeOf({ repository, remoteUrl, env }: PlaceSources): GitHubPlace | string {
  const api = apiOf(env);
  if (typeof api === 'string') return api;
  if (repository !== null) {
    const named = OWNER_AND_NAME.exec(repository);
    return named === null ? `--repository takes OWNER/NAME, not "${repository}"` : placeIn(api, named);
  }
  const remote = remoteUrl === null ? null : parseRemote(remoteUrl);
  if (remote !== null && remote.host === api.host) return placeIn(api, remote.path);
  const fromActions = OWNER_AND_NAME.exec(env['GITHUB_REPOSITORY'] ?? '');
  if (fromActions !== null) return placeIn(api, fromActions);
  const where = remote === null ? 'There is no remote on a GitHub' : `The remote is on ${remote.host}`;
  return `${where}, and the API is that of ${api.host}. Name the repository with --repository OWNER/NAME; for GitHub Enterprise set GITHUB_API_URL, such as https://${remote?.host ?? 'github.example.com'}/api/v3. Without --issues, millrace sync works with any remote, GitLab and Gitea too.`;
}

interface ApiPlace {
  url: string;
  /** Of the addresses of its repositories. */
  host: string;
}

/** The API that `GITHUB_API_URL` names, or the public one. */
function apiOf(env: NodeJS.ProcessEnv): ApiPlace | string {
  const given = env['GITHUB_API_URL'] ?? '';
  if (given === '' || given === PUBLIC_API) return { url: PUBLIC_API, host: PUBLIC_HOST };
  const url = URL.canParse(given) ? new URL(given) : null;
  const isLocal = url !== null && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !(isLocal && url.protocol === 'http:')))
    return `GITHUB_API_URL has to be an https address, such as https://github.example.com/api/v3, because the token is sent there`;
  return { url: given.replace(/\/+$/, ''), host: url.host.replace(/^api\./, '') };
}

/** Whether the documented limits of the public GitHub hold. GitHub Enterprise Server has none unless it says so. */
export const hasPublicLimits = ({ apiUrl }: GitHubPlace): boolean =>
  apiUrl === PUBLIC_API || /^https:\/\/api\.[\w-]+\.ghe\.com$/.test(apiUrl);

function placeIn({ url, host }: ApiPlace, [, owner = '', name = '']: RegExpExecArray): GitHubPlace {
  return { apiUrl: url, owner, name, key: `${host}/${owner}/${name}`.toLowerCase() };
}

/** The host and the path of a remote's address; null for a path on this machine. */
function parseRemote(address: string): { host: string; path: RegExpExecArray } | null {
  // The short form of ssh: user@host:path.
  const [, shortHost, shortPath] = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(address) ?? [];
  const url = URL.canParse(address) ? new URL(address) : null;
  const isUrl = url !== null && url.host !== '';
  const host = isUrl ? url.hostname : shortHost;
  const path = OWNER_AND_NAME.exec((isUrl ? url.pathname : (shortPath ?? '')).replaceAll(/^\/+|\/+$/g, ''));
  return host === undefined || path === null ? null : { host: host.replace(/^(ssh|www)\./, ''), path };
}

/** Longest that `gh` may take, in milliseconds. */
const GH_MS = 10_000;

/**
 * The token that the API is called with: of `GITHUB_TOKEN`, `GH_TOKEN`, or what the GitHub command line knows for this
 * host. Null where there is none.
 */
export async function findToken(place: GitHubPlace, env: NodeJS.ProcessEnv): Promise<string | null> {
  const named = [env['GITHUB_TOKEN'], env['GH_TOKEN']].find((token) => token !== undefined && token !== '');
  if (named !== undefined) return named;
  const [host = PUBLIC_HOST] = place.key.split('/');
  return new Promise((resolve) => {
    execFile('gh', ['auth', 'token', '--hostname', host], { env, timeout: GH_MS }, (error, stdout) => {
      // It is not installed, or nobody is logged in.
      const token = error === null ? stdout.trim() : '';
      resolve(token === '' ? null : token);
    });
  });
}

export const NO_TOKEN =
  'There is no token for GitHub. Set GITHUB_TOKEN or GH_TOKEN, or log in with: gh auth login. docs/github.md says which rights each command needs.';
