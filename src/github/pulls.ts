/** Brings a pull request to what it should say: finds it again by its branch and its mark, and opens it once. */
import { ApiError, endsWork, type GitHubApi, type GitHubPull, type PullFields } from './api.ts';
import { blocksIn, shortHash, withBlock } from './marks.ts';

/** Work that is to have a pull request. */
export interface PullWork {
  /** Id of a workstream, or of a run. */
  subject: string;
  /** Its branch in the repository. */
  branch: string;
  commit: string;
  base: string;
  title: string;
  /** Markdown. */
  content: string;
  /** Whether a person has to check something before it may be merged. */
  draft: boolean;
}

/** What became of a pull request. */
export interface PullOutcome {
  subject: string;
  /** Null where there is none. */
  number: number | null;
  url: string | null;
  action: 'created' | 'updated' | 'unchanged' | 'failed';
  /** Why it failed, or what a person should know; null for nothing. */
  detail: string | null;
}

export interface PullSync {
  /** Whether anything is written. Without, an outcome says what would be done. */
  write: boolean;
  /**
   * Makes its commit that of its branch.
   * @param ours commits that are known to have been pushed by Millrace.
   * @returns why that was not possible; null where it is there.
   */
  push: (work: PullWork, ours: readonly string[]) => Promise<string | null>;
}

/**
 * Brings pull requests to what they should say, one after the other. Each costs a request that finds it and one that
 * writes it. A failure is the outcome of its work; what can't succeed any more is not asked for.
 * @param onOutcome told of each before the next is begun.
 */
export async function bringPulls(
  api: GitHubApi,
  works: readonly PullWork[],
  { onOutcome, ...sync }: PullSync & { onOutcome: (outcome: PullOutcome) => void },
): Promise<void> {
  let stopped: string | null = null;
  for (const work of works) {
    const { subject } = work;
    const failed = { subject, number: null, url: null, action: 'failed' } as const;
    try {
      onOutcome(stopped === null ? await bring(api, work, sync) : { ...failed, detail: stopped });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (endsWork(error)) stopped = error.message;
      onOutcome({ ...failed, detail: error.message });
    }
  }
}

async function bring(api: GitHubApi, work: PullWork, { write, push }: PullSync): Promise<PullOutcome> {
  const { subject, commit, branch } = work;
  const pulls = await api.pullsOf(branch);
  const open = pulls.find(({ state }) => state === 'open');
  const ended = pulls.find((pull) => pull.state !== 'open' && headOf(pull, subject) === commit);
  if (open === undefined && ended !== undefined) {
    const how = ended.merged_at === null || ended.merged_at === undefined ? 'closed' : 'merged';
    return outcome(work, ended, 'unchanged', `It was ${how} as it is.`);
  }
  if (write) {
    const ours = pulls.flatMap((pull) => headOf(pull, subject) ?? []);
    const problem = await push(work, ours);
    if (problem !== null) return { ...outcome(work, open, 'failed', problem), url: open?.html_url ?? null };
  }
  if (open !== undefined) return update(api, work, open, write);
  return write ? create(api, work) : outcome(work, undefined, 'created', null);
}

/** The commit that a pull request was last brought to by Millrace; null for one of somebody else. */
const headOf = ({ body }: GitHubPull, subject: string): string | null =>
  blocksIn(body).find((block) => block.subject === subject)?.fields['head'] ?? null;

const outcome = (
  { subject }: PullWork,
  pull: GitHubPull | undefined,
  action: PullOutcome['action'],
  detail: string | null,
): PullOutcome => ({ subject, number: pull?.number ?? null, url: pull?.html_url ?? null, action, detail });

async function update(
  api: GitHubApi,
  work: PullWork,
  pull: GitHubPull,
  write: boolean,
): Promise<PullOutcome> {
  const { subject, commit, content, base } = work;
  const before = blocksIn(pull.body).find((block) => block.subject === subject);
  // A title that a person wrote, or changed, stays.
  const isOurTitle = before?.fields['title'] === shortHash(pull.title);
  const title = isOurTitle ? work.title : pull.title;
  const hash = isOurTitle ? shortHash(title) : before?.fields['title'];
  const fields = { head: commit, ...(hash === undefined ? {} : { title: hash }) };
  const body = withBlock(pull.body, { subject, fields, content });
  const changes = {
    ...(title === pull.title ? {} : { title }),
    ...(body === pull.body ? {} : { body }),
    ...(base === pull.base.ref ? {} : { base }),
  };
  const isChanged = Object.keys(changes).length > 0;
  if (isChanged && write) await api.updatePull(pull.number, changes);
  return outcome(work, pull, isChanged ? 'updated' : 'unchanged', null);
}

async function create(api: GitHubApi, work: PullWork): Promise<PullOutcome> {
  const { subject, commit, content, branch, base, title, draft } = work;
  const fields = { head: commit, title: shortHash(title) };
  const body = withBlock('', { subject, fields, content });
  const wanted: PullFields = { title, body, head: branch, base, draft };
  try {
    return outcome(work, await api.createPull(wanted), 'created', null);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'invalid' && draft && /draft/i.test(error.message)) {
      const pull = await api.createPull({ ...wanted, draft: false });
      const why = 'This repository has no drafts: what is for a person to check is a list in it.';
      return outcome(work, pull, 'created', why);
    }
    if (error.kind === 'invalid' && /no commits between/i.test(error.message))
      return outcome(work, undefined, 'unchanged', `${base} has all of it already.`);
    const isThere = error.kind === 'unreachable' || /already exists/i.test(error.message);
    const open = isThere ? (await api.pullsOf(branch)).find(({ state }) => state === 'open') : undefined;
    if (open === undefined) throw error;
    return update(api, work, open, true);
  }
}
