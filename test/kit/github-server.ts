/** A server on loopback that answers as GitHub's REST API is documented to, as far as Millrace asks it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const TOKEN = 'token-of-the-test';

export interface StoredIssue {
  number: number;
  title: string;
  body: string | null;
  state: string;
  labels: { name: string }[];
  user: { login: string; type: string };
  author_association: string;
  pull_request?: object;
  html_url: string;
  repository_url: string;
}

export interface StoredPull {
  number: number;
  title: string;
  body: string | null;
  state: string;
  draft: boolean;
  merged_at: string | null;
  head: { ref: string; sha: string };
  base: { ref: string };
  html_url: string;
}

/** An answer in place of the usual one. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Request {
  method: string;
  /** Below the repository: `/issues/3`. */
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

/** What a test does with a request: answer it, let it be answered, or have it done without an answer. */
type Intercept = (request: Request, number: number) => Answer | 'done-without-answer' | null;

const OWNER = 'acme';
const NAME = 'widgets';

export class GitHubServer {
  readonly issues = new Map<number, StoredIssue>();
  readonly pulls = new Map<number, StoredPull>();
  /** By number of the pull request, or the commit of checks and statuses. */
  readonly reviews = new Map<number, object[]>();
  readonly lineComments = new Map<number, object[]>();
  readonly comments = new Map<number, object[]>();
  readonly checks = new Map<string, object[]>();
  readonly annotations = new Map<number, object[]>();
  readonly statuses = new Map<string, object[]>();
  readonly requests: Request[] = [];
  /** Numbers that were deleted. */
  readonly deleted = new Set<number>();
  /** Whether the token's user may set labels: otherwise GitHub ignores them. */
  mayLabel = true;
  /** Whether pull requests may be drafts in this repository. */
  allowsDrafts = true;
  intercept: Intercept = () => null;
  /** Folder of the repository whose branches pull requests are of. */
  repository: string | null = null;
  url = '';
  #next = 1;

  /** The environment in which Millrace asks this server. */
  get env(): NodeJS.ProcessEnv {
    return { GITHUB_API_URL: this.url, GITHUB_REPOSITORY: `${OWNER}/${NAME}`, GITHUB_TOKEN: TOKEN };
  }

  /** The requests that change something. */
  get writes(): Request[] {
    return this.requests.filter(({ method }) => method !== 'GET');
  }

  addIssue(fields: Partial<StoredIssue>): StoredIssue {
    const number = fields.number ?? this.#next;
    this.#next = Math.max(this.#next, number + 1);
    const issue: StoredIssue = {
      number,
      title: '',
      body: null,
      state: 'open',
      labels: [],
      user: { login: 'person', type: 'User' },
      author_association: 'MEMBER',
      html_url: `https://github.test/${OWNER}/${NAME}/issues/${number}`,
      repository_url: `${this.url}/repos/${OWNER}/${NAME}`,
      ...fields,
    };
    this.issues.set(number, issue);
    return issue;
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of message) text += String(chunk);
    const url = new URL(message.url ?? '/', this.url);
    const prefix = `/repos/${OWNER}/${NAME}`;
    const request: Request = {
      method: message.method ?? 'GET',
      path: url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : '?',
      query: url.searchParams,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    this.requests.push(request);
    const instead = this.intercept(request, this.requests.length);
    const isKnown = message.headers.authorization === `token ${TOKEN}`;
    const answer =
      instead !== null && instead !== 'done-without-answer'
        ? instead
        : isKnown
          ? this.#answer(request)
          : { status: 401, body: { message: 'Bad credentials' } };
    if (instead === 'done-without-answer') {
      message.socket.destroy();
      return;
    }
    const headers = { 'content-type': 'application/json; charset=utf-8', ...answer.headers };
    response.writeHead(answer.status, headers).end(JSON.stringify(answer.body ?? {}));
  }

  #answer(request: Request): Answer {
    const { method, path } = request;
    for (const [route, handler] of this.#routes) {
      const [routeMethod = '', pattern = ''] = route.split(' ');
      const match = new RegExp(`^${pattern}$`).exec(path);
      if (match !== null && routeMethod === method) return handler(request, match[1] ?? '');
    }
    return NOT_FOUND;
  }

  readonly #routes: [string, (request: Request, part: string) => Answer][] = [
    ['GET ', () => ok({ default_branch: 'main' })],
    ['GET /issues', (request) => this.#listIssues(request)],
    ['POST /issues', (request) => this.#createIssue(request)],
    ['GET /issues/(\\d+)', (_, number) => this.#oneIssue(Number(number))],
    ['PATCH /issues/(\\d+)', (request, number) => this.#updateIssue(request, Number(number))],
    [
      'GET /issues/(\\d+)/comments',
      (request, number) => this.#page(request, this.comments.get(Number(number))),
    ],
    ['GET /pulls', (request) => this.#listPulls(request)],
    ['POST /pulls', (request) => this.#createPull(request)],
    ['PATCH /pulls/(\\d+)', (request, number) => this.#updatePull(request, Number(number))],
    [
      'GET /pulls/(\\d+)/comments',
      (request, number) => this.#page(request, this.lineComments.get(Number(number))),
    ],
    ['GET /pulls/(\\d+)/reviews', (request, number) => this.#page(request, this.reviews.get(Number(number)))],
    [
      'GET /commits/(\\w+)/check-runs',
      (request, ref) => {
        const runs = this.checks.get(ref) ?? [];
        const { body, headers } = this.#page(request, runs);
        return { status: 200, headers: headers ?? {}, body: { total_count: runs.length, check_runs: body } };
      },
    ],
    [
      'GET /check-runs/(\\d+)/annotations',
      (request, id) => this.#page(request, this.annotations.get(Number(id))),
    ],
    [
      'GET /commits/(\\w+)/status',
      (_, ref) => ok({ state: 'failure', statuses: this.statuses.get(ref) ?? [] }),
    ],
  ];

  /** A page of a list, with links to the others as GitHub gives them. */
  #page({ path, query }: Request, all: readonly unknown[] = []): Answer {
    const size = Math.min(100, Number(query.get('per_page') ?? 30));
    const page = Number(query.get('page') ?? 1);
    const last = Math.max(1, Math.ceil(all.length / size));
    const link = (to: number, rel: string): string => {
      const other = new URLSearchParams(query);
      other.set('page', String(to));
      return `<${this.url}/repos/${OWNER}/${NAME}${path}?${other}>; rel="${rel}"`;
    };
    const links = page < last ? [link(page + 1, 'next'), link(last, 'last')] : [];
    return {
      status: 200,
      headers: links.length === 0 ? {} : { link: links.join(', ') },
      body: all.slice((page - 1) * size, page * size),
    };
  }

  #listIssues(request: Request): Answer {
    const { query } = request;
    const state = query.get('state') ?? 'open';
    const labels = (query.get('labels') ?? '').split(',').filter((label) => label !== '');
    const found = [...this.issues.values()]
      .filter((issue) => !this.deleted.has(issue.number))
      .filter((issue) => state === 'all' || issue.state === state)
      .filter((issue) => labels.every((label) => issue.labels.some(({ name }) => name === label)))
      .toSorted((a, b) => b.number - a.number);
    return this.#page(request, found);
  }

  #createIssue({ body }: Request): Answer {
    if (typeof body['title'] !== 'string' || body['title'] === '')
      return {
        status: 422,
        body: { message: 'Validation Failed', errors: [{ message: 'title is missing' }] },
      };
    const issue = this.addIssue({
      title: body['title'],
      body: textOf(body['body']),
      labels: this.mayLabel ? labelsOf(body['labels']) : [],
    });
    return { status: 201, body: issue };
  }

  #oneIssue(number: number): Answer {
    if (this.deleted.has(number)) return { status: 410, body: { message: 'This issue was deleted' } };
    const issue = this.issues.get(number);
    return issue === undefined ? NOT_FOUND : ok(issue);
  }

  #updateIssue({ body }: Request, number: number): Answer {
    const found = this.#oneIssue(number);
    const issue = this.issues.get(number);
    if (found.status !== 200 || issue === undefined) return found;
    if (typeof body['title'] === 'string') issue.title = body['title'];
    if (typeof body['body'] === 'string') issue.body = body['body'];
    if (this.mayLabel && body['labels'] !== undefined) issue.labels = labelsOf(body['labels']);
    return ok(issue);
  }

  #listPulls(request: Request): Answer {
    const head = request.query.get('head');
    const state = request.query.get('state') ?? 'open';
    const found = [...this.pulls.values()]
      .filter((pull) => head === null || head === `${OWNER}:${pull.head.ref}`)
      .filter((pull) => state === 'all' || pull.state === state)
      .toSorted((a, b) => b.number - a.number)
      .map((pull) => this.#current(pull));
    return this.#page(request, found);
  }

  #createPull({ body }: Request): Answer {
    const head = String(body['head']);
    const base = String(body['base']);
    const refuse = (...messages: string[]): Answer => ({
      status: 422,
      body: {
        message: 'Validation Failed',
        errors: messages.map((message) => ({ resource: 'PullRequest', message })),
      },
    });
    if (this.#commitOf(head) === null) return refuse('head is invalid');
    if (this.#commitOf(base) === null) return refuse('base is invalid');
    if (this.#commitOf(head) === this.#commitOf(base))
      return refuse(`No commits between ${base} and ${head}`);
    if (
      [...this.pulls.values()].some(
        (pull) => pull.state === 'open' && pull.head.ref === head && pull.base.ref === base,
      )
    )
      return refuse(`A pull request already exists for ${OWNER}:${head}.`);
    if (body['draft'] === true && !this.allowsDrafts)
      return { status: 422, body: { message: 'Draft pull requests are not supported in this repository.' } };
    const number = this.#next;
    this.#next += 1;
    const pull: StoredPull = {
      number,
      title: textOf(body['title']),
      body: textOf(body['body']),
      state: 'open',
      draft: body['draft'] === true,
      merged_at: null,
      head: { ref: head, sha: '' },
      base: { ref: base },
      html_url: `https://github.test/${OWNER}/${NAME}/pull/${number}`,
    };
    this.pulls.set(number, pull);
    return { status: 201, body: this.#current(pull) };
  }

  #updatePull({ body }: Request, number: number): Answer {
    const pull = this.pulls.get(number);
    if (pull === undefined) return NOT_FOUND;
    if (typeof body['title'] === 'string') pull.title = body['title'];
    if (typeof body['body'] === 'string') pull.body = body['body'];
    if (typeof body['base'] === 'string') pull.base = { ref: body['base'] };
    return ok(this.#current(pull));
  }

  #current(pull: StoredPull): StoredPull {
    return { ...pull, head: { ...pull.head, sha: this.#commitOf(pull.head.ref) ?? pull.head.sha } };
  }

  #commitOf(branch: string): string | null {
    if (this.repository === null) return null;
    try {
      const args = ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`];
      return execFileSync('git', args, { cwd: this.repository, encoding: 'utf8' }).trim();
    } catch {
      // There is no such branch.
      return null;
    }
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const ok = (body: unknown): Answer => ({ status: 200, body });
const NOT_FOUND: Answer = { status: 404, body: { message: 'Not Found' } };

const labelsOf = (labels: unknown): { name: string }[] =>
  Array.isArray(labels) ? labels.map((name) => ({ name: String(name) })) : [];

/** A server that ends with the test. */
export async function startGitHub(): Promise<GitHubServer> {
  const github = new GitHubServer();
  const server = createServer((message, response) => {
    github
      .handle(message, response)
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  github.url = `http://127.0.0.1:${port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return github;
}

/** What GitHub answers where there were too many requests in a short time. */
export const secondaryLimit = (seconds: number): Answer => ({
  status: 403,
  headers: { 'retry-after': String(seconds) },
  body: {
    message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  },
});

export const NO_RIGHT: Answer = {
  status: 403,
  headers: { 'x-accepted-github-permissions': 'issues=write' },
  body: { message: 'Resource not accessible by personal access token' },
};
