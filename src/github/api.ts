/** GitHub's REST API: the requests that Millrace makes, each with what it answers and how it fails. */
import { setTimeout as pause } from 'node:timers/promises';
import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import Bottleneck from 'bottleneck';
import { z } from 'zod';
import { messageOf } from '../text/error-message.ts';
import { Pace, PUBLIC_LIMITS } from './pace.ts';
import { type GitHubPlace, hasPublicLimits } from './place.ts';

/**
 * Why a request did not do what it was to:
 * - `token`: the token is not valid. No other request will do better.
 * - `right`: it may not do this.
 * - `missing`: there is no such thing, or the token may not see it.
 * - `gone`: it was deleted.
 * - `invalid`: GitHub does not take what was sent.
 * - `limit`: too many requests, also after the wait that GitHub asked for.
 * - `unreachable`: no answer, or none that is one. What was asked for may have been done.
 */
export type ApiFailureKind = 'token' | 'right' | 'missing' | 'gone' | 'invalid' | 'limit' | 'unreachable';

/** A request that failed; the message is a sentence for a person. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly kind: ApiFailureKind;

  constructor(kind: ApiFailureKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Whether the next request would fail in the same way, and ask a service that has just refused. */
export const endsWork = ({ kind }: ApiError): boolean =>
  kind === 'token' || kind === 'limit' || kind === 'unreachable';

const userSchema = z.object({ login: z.string(), type: z.string().catch('User') }).nullable();
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const issueSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: text,
  state: z.string(),
  labels: z.array(z.union([z.string(), z.object({ name: text }).transform(({ name }) => name)])),
  user: userSchema.catch(null),
  author_association: z.string().catch('NONE'),
  /** Of a pull request, which is an issue as well. */
  pull_request: z.unknown().optional(),
  /** Of the repository that it is in: an issue may have been moved. */
  repository_url: z.string().catch(''),
});
export type GitHubIssue = z.infer<typeof issueSchema>;

const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: text,
  state: z.string(),
  draft: z.boolean().catch(false),
  merged_at: z.string().nullish(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
});
export type GitHubPull = z.infer<typeof pullSchema>;

const commentSchema = z.object({
  body: text,
  html_url: z.string(),
  user: userSchema.catch(null),
  author_association: z.string().catch('NONE'),
  created_at: z.string().catch(''),
});
const lineCommentSchema = commentSchema.extend({
  path: z.string().catch(''),
  line: z.int().nullish().catch(null),
  /** Null where the line is no longer in the pull request. */
  position: z.int().nullish().catch(null),
  subject_type: z.string().catch('line'),
});
const reviewSchema = commentSchema.extend({ state: z.string(), submitted_at: z.string().catch('') });
/** What a person or a bot wrote about a pull request. */
export type Comment = z.infer<typeof commentSchema>;
export type LineComment = z.infer<typeof lineCommentSchema>;
export type Review = z.infer<typeof reviewSchema>;

const checkSchema = z.object({
  id: z.int(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullish(),
  html_url: text,
  output: z
    .object({ title: text, summary: text, text, annotations_count: z.int().catch(0) })
    .catch({ title: '', summary: '', text: '', annotations_count: 0 }),
});
export type Check = z.infer<typeof checkSchema>;

const annotationSchema = z.object({
  path: z.string(),
  start_line: z.int().catch(0),
  annotation_level: text,
  message: text,
});
export type Annotation = z.infer<typeof annotationSchema>;

const statusSchema = z.object({
  context: z.string(),
  state: z.string(),
  description: text,
  target_url: text,
});
export type CommitStatus = z.infer<typeof statusSchema>;

/** What may be changed of an issue. */
export interface IssueFields {
  title: string;
  body: string;
  labels: string[];
}

/** Which issues are listed. */
export interface IssueFilter {
  labels?: string;
  state?: 'open' | 'closed' | 'all';
  milestone?: string;
  assignee?: string;
  creator?: string;
  /** Most pages of 100, the newest issues first; all without it. */
  pages?: number;
}

export interface PullFields {
  title: string;
  body: string;
  /** Branch in the repository. */
  head: string;
  base: string;
  draft: boolean;
}

export interface ApiOptions {
  /** Told what a person should know while it goes on: a wait. */
  notify: (sentence: string) => void;
}

/** Longest that one request may take, in milliseconds. */
const REQUEST_MS = 60_000;
/** Longest wait for a limit, in seconds. */
const LONGEST_WAIT = 3_700;
/** How often a request is made again that a limit refused. */
const LIMIT_RETRIES = 3;

const PAGE = 100;

type Parameters = Record<string, unknown>;

const Client = Octokit.plugin(throttling, retry, paginateRest);

/** The requests to one repository. Each method throws an `ApiError`, and nothing else that is not a bug. */
export class GitHubApi {
  readonly #client: InstanceType<typeof Client>;
  readonly #place: GitHubPlace;
  /** Null where nothing is known of limits before they are met. */
  readonly #pace: Pace | null;

  constructor(place: GitHubPlace, token: string, { notify }: ApiOptions) {
    this.#place = place;
    const isLimited = hasPublicLimits(place);
    this.#client = new Client({
      auth: token,
      baseUrl: place.apiUrl,
      userAgent: 'millrace',
      request: { fetch: fetchInTime },
      log: SILENT,
      throttle: {
        // Its own limits, a write a second and a creation in three, are those of the public GitHub.
        ...(isLimited ? {} : { write: new Bottleneck.Group(), notifications: new Bottleneck.Group() }),
        onRateLimit: (seconds, _options, _octokit, retries) => mayWait(seconds, retries, notify),
        onSecondaryRateLimit: (seconds, _options, _octokit, retries) => mayWait(seconds, retries, notify),
      },
    });
    this.#pace = isLimited ? publicPace(notify) : null;
  }

  async defaultBranch(): Promise<string> {
    const found = await this.#get('/repos/{owner}/{repo}', {});
    return this.#parse(z.object({ default_branch: z.string() }), found).default_branch;
  }

  /** Without pull requests. */
  async issues({ pages = Number.POSITIVE_INFINITY, ...filter }: IssueFilter): Promise<GitHubIssue[]> {
    const all = await this.#list('/repos/{owner}/{repo}/issues', { ...filter }, pages);
    return all.map((issue) => this.#parse(issueSchema, issue)).filter((issue) => !issue.pull_request);
  }

  async issue(number: number): Promise<GitHubIssue> {
    const found = await this.#get('/repos/{owner}/{repo}/issues/{issue_number}', { issue_number: number });
    return this.#parse(issueSchema, found);
  }

  async createIssue(fields: IssueFields): Promise<GitHubIssue> {
    const made = await this.#create('/repos/{owner}/{repo}/issues', { ...fields });
    return this.#parse(issueSchema, made);
  }

  async updateIssue(number: number, fields: Partial<IssueFields>): Promise<void> {
    const path = '/repos/{owner}/{repo}/issues/{issue_number}';
    await this.#request(`PATCH ${path}`, { issue_number: number, ...fields }, 0);
  }

  /** The pull requests of a branch of the repository, the newest first, closed ones too. */
  async pullsOf(branch: string): Promise<GitHubPull[]> {
    const head = `${this.#place.owner}:${branch}`;
    const all = await this.#list('/repos/{owner}/{repo}/pulls', { head, state: 'all' });
    // A server that does not know the filter answers with all of them.
    return all.map((pull) => this.#parse(pullSchema, pull)).filter((pull) => pull.head.ref === branch);
  }

  async createPull(fields: PullFields): Promise<GitHubPull> {
    const made = await this.#create('/repos/{owner}/{repo}/pulls', { ...fields });
    return this.#parse(pullSchema, made);
  }

  async updatePull(
    number: number,
    fields: Partial<Pick<PullFields, 'title' | 'body' | 'base'>>,
  ): Promise<void> {
    await this.#request(
      'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
      { pull_number: number, ...fields },
      0,
    );
  }

  /** The last run of each check of a commit. */
  async checks(ref: string): Promise<Check[]> {
    const all = await this.#list('/repos/{owner}/{repo}/commits/{ref}/check-runs', { ref });
    return all.map((check) => this.#parse(checkSchema, check));
  }

  /** What a check says of single lines, 100 at most. */
  async annotations(check: number): Promise<Annotation[]> {
    const path = '/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations';
    const all = await this.#list(path, { check_run_id: check }, 1);
    return all.map((annotation) => this.#parse(annotationSchema, annotation));
  }

  /** The last status of each context of a commit. */
  async statuses(ref: string): Promise<CommitStatus[]> {
    const found = await this.#get('/repos/{owner}/{repo}/commits/{ref}/status', { ref, per_page: PAGE });
    return this.#parse(z.object({ statuses: z.array(statusSchema) }), found).statuses;
  }

  async lineComments(pull: number): Promise<LineComment[]> {
    const all = await this.#list('/repos/{owner}/{repo}/pulls/{pull_number}/comments', { pull_number: pull });
    return all.map((comment) => this.#parse(lineCommentSchema, comment));
  }

  async reviews(pull: number): Promise<Review[]> {
    const all = await this.#list('/repos/{owner}/{repo}/pulls/{pull_number}/reviews', { pull_number: pull });
    return all.map((review) => this.#parse(reviewSchema, review));
  }

  async comments(pull: number): Promise<Comment[]> {
    const all = await this.#list('/repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: pull,
    });
    return all.map((comment) => this.#parse(commentSchema, comment));
  }

  async #get(path: string, parameters: Parameters): Promise<unknown> {
    return this.#request(`GET ${path}`, parameters);
  }

  /** All elements of a list that is given in pages. */
  async #list(path: string, parameters: Parameters, pages = Number.POSITIVE_INFINITY): Promise<unknown[]> {
    const all: unknown[] = [];
    try {
      let page = 0;
      const each = this.#client.paginate.iterator(
        `GET ${path}`,
        this.#named({ ...parameters, per_page: PAGE }),
      );
      for await (const { data } of each) {
        if (Array.isArray(data)) for (const element of data) all.push(element);
        page += 1;
        if (page >= pages) break;
      }
    } catch (error) {
      throw apiError(error, this.#place);
    }
    return all;
  }

  /** What was created is not created again where no answer came: that it failed is not known. */
  async #create(path: string, parameters: Parameters): Promise<unknown> {
    await this.#pace?.turn();
    return this.#request(`POST ${path}`, parameters, 0);
  }

  async #request(route: string, parameters: Parameters, retries?: number): Promise<unknown> {
    const request = retries === undefined ? {} : { request: { retries } };
    try {
      const { data } = await this.#client.request(route, this.#named({ ...parameters, ...request }));
      return data;
    } catch (error) {
      throw apiError(error, this.#place);
    }
  }

  #named(parameters: Parameters): Parameters {
    return { ...parameters, owner: this.#place.owner, repo: this.#place.name };
  }

  #parse<T>(schema: z.ZodType<T>, data: unknown): T {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
    throw new ApiError(
      'unreachable',
      `What ${this.#place.apiUrl} answered is not what GitHub's API answers${where}.`,
    );
  }
}

const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Failures are thrown, and waits are notified of.
}

const fetchInTime: typeof fetch = (input, init) =>
  fetch(input, { ...init, signal: AbortSignal.timeout(REQUEST_MS) });

function mayWait(seconds: number, retries: number, notify: ApiOptions['notify']): boolean {
  if (retries >= LIMIT_RETRIES || seconds > LONGEST_WAIT) return false;
  notify(`GitHub asks to wait: going on in ${seconds} s`);
  return true;
}

const publicPace = (notify: ApiOptions['notify']): Pace =>
  new Pace({
    limits: PUBLIC_LIMITS,
    now: () => performance.now(),
    wait: (milliseconds) => pause(milliseconds),
    onWait: (milliseconds) =>
      notify(
        `GitHub lets one create 500 issues and pull requests an hour: going on in ${Math.ceil(milliseconds / 1000)} s. Ended now and started again, it goes on where it was`,
      ),
  });

/** What octokit throws for an answer that is an error, and for none. */
const refusalSchema = z.object({
  status: z.int(),
  response: z
    .object({
      headers: z.record(z.string(), z.unknown()).catch({}),
      data: z
        .object({
          message: z.string().catch(''),
          errors: z.array(z.union([z.string(), z.object({ message: text })])).catch([]),
        })
        .catch({ message: '', errors: [] }),
    })
    .nullish()
    .catch(null),
});

function apiError(error: unknown, { apiUrl, owner, name }: GitHubPlace): unknown {
  if (error instanceof ApiError) return error;
  const refusal = refusalSchema.safeParse(error).data;
  if (refusal === undefined) return error;
  const { status, response } = refusal;
  if (response === null || response === undefined || status >= 500) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const why = response === null || response === undefined ? messageOf(cause) : `it answered with ${status}`;
    return new ApiError('unreachable', `${apiUrl} can't be reached: ${why}.`, error);
  }
  const { data, headers } = response;
  const details = data.errors.map((each) => (typeof each === 'string' ? each : each.message));
  const said = [data.message, ...details].filter((part) => part !== '').join(': ');
  const right = headers['x-accepted-github-permissions'];
  const needs = typeof right === 'string' && right !== '' ? ` It needs: ${right}.` : '';
  const repository = `${owner}/${name}`;
  if (status === 401)
    return new ApiError(
      'token',
      `GitHub does not accept the token (${said}). Make a new one, or log in again.`,
      error,
    );
  if (status === 429 || isLimit(status, headers, said))
    return new ApiError('limit', `GitHub has answered too many requests (${said}). Try again later.`, error);
  if (status === 403)
    return new ApiError('right', `The token may not do this in ${repository} (${said}).${needs}`, error);
  if (status === 410)
    return new ApiError('gone', `It was deleted, or is switched off, in ${repository} (${said}).`, error);
  if (status === 404)
    return new ApiError(
      'missing',
      `There is no such thing in ${repository}, or the token may not see it (${said}).${needs}`,
      error,
    );
  return new ApiError('invalid', `GitHub refused it (${status}: ${said}).`, error);
}

const isLimit = (status: number, headers: Record<string, unknown>, said: string): boolean =>
  status === 403 && (headers['x-ratelimit-remaining'] === '0' || /\bsecondary rate\b/i.test(said));
