/** What was said of a pull request that is still to be acted on: checks that failed, and what reviewers wrote. */
import { ApiError, type Comment, type GitHubApi, type GitHubPull, type Review } from './api.ts';
import { isTrusted } from './issues.ts';

/** One thing that was said. */
export interface Remark {
  kind: 'check' | 'review' | 'line' | 'comment';
  /** The file that it is about; null for all of them. */
  path: string | null;
  /** Plain text of others, of any length. */
  text: string;
}

export interface Remarks {
  remarks: Remark[];
  /** How many were left out because of who wrote them. */
  ofStrangers: number;
  /** Why checks could not be read, where the token may not; null where they were. */
  unread: string | null;
}

/** Conclusions of a check that ask for something to be done. */
const FAILED: ReadonlySet<string> = new Set(['failure', 'timed_out', 'action_required', 'startup_failure']);

export interface RemarksOptions {
  /** Whether what anybody wrote counts, and not only what those did who may write to the repository. */
  anyone: boolean;
  /** When the work was made, ISO 8601: what was said before is about earlier work. Null where that is not known. */
  since: string | null;
}

/** @throws ApiError */
export async function remarksOf(
  api: GitHubApi,
  pull: GitHubPull,
  { anyone, since }: RemarksOptions,
): Promise<Remarks> {
  let ofStrangers = 0;
  const counts = (comment: Comment): boolean => {
    if (comment.body.trim() === '') return false;
    if (anyone || isTrusted(comment)) return true;
    ofStrangers += 1;
    return false;
  };
  const isLater = (at: string): boolean => since === null || at === '' || Date.parse(at) >= Date.parse(since);
  const reviews = standing(await api.reviews(pull.number))
    .filter(({ submitted_at: at }) => isLater(at))
    .filter(counts);
  const lines = (await api.lineComments(pull.number))
    .filter(({ position, subject_type: type }) => typeof position === 'number' || type === 'file')
    .filter(counts);
  // What bots say beside a review are reports for people.
  const comments = (await api.comments(pull.number))
    .filter(({ user, created_at: at }) => user?.type !== 'Bot' && isLater(at))
    .filter(counts);
  const { checks, unread } = await readChecks(api, pull.head.sha);
  const remarks: Remark[] = [
    ...checks,
    ...reviews.map(
      ({ body, user }): Remark => ({ kind: 'review', path: null, text: `${by(user)}: ${body}` }),
    ),
    ...lines.map(({ body, path, line, user }): Remark => {
      const place = typeof line === 'number' ? `${path}:${line}` : path;
      return { kind: 'line', path, text: `${place}, ${by(user)}: ${body}` };
    }),
    ...comments.map(
      ({ body, user }): Remark => ({ kind: 'comment', path: null, text: `${by(user)}: ${body}` }),
    ),
  ];
  return { remarks, ofStrangers, unread };
}

const by = (user: Comment['user']): string => user?.login ?? 'somebody';

/** The last review of each person, unless it approves or was dismissed. */
function standing(reviews: readonly Review[]): Review[] {
  const last = new Map<string, Review>();
  for (const review of reviews) {
    // A comment beside an approval takes nothing back.
    const name = by(review.user);
    if (review.state !== 'COMMENTED' || !last.has(name)) last.set(name, review);
  }
  return [...last.values()].filter(({ state }) => state === 'CHANGES_REQUESTED' || state === 'COMMENTED');
}

/** Many tokens may read pull requests and no checks: what people wrote counts all the same. */
async function readChecks(
  api: GitHubApi,
  commit: string,
): Promise<{ checks: Remark[]; unread: string | null }> {
  try {
    return { checks: await failedChecks(api, commit), unread: null };
  } catch (error) {
    if (!(error instanceof ApiError && error.kind === 'right')) throw error;
    return { checks: [], unread: `Checks could not be read. ${error.message}` };
  }
}

async function failedChecks(api: GitHubApi, commit: string): Promise<Remark[]> {
  const remarks: Remark[] = [];
  for (const check of await api.checks(commit)) {
    if (check.status !== 'completed' || !FAILED.has(check.conclusion ?? '')) continue;
    const { title, summary, text, annotations_count: count } = check.output;
    const annotations = count > 0 ? await api.annotations(check.id) : [];
    const places = annotations
      .filter(({ annotation_level: level }) => level !== 'notice')
      .map(({ path, start_line: line, message }) => `${path}:${line}: ${message}`);
    const parts = [`${check.name} (${check.conclusion ?? ''})`, title, summary, text, ...places];
    remarks.push({ kind: 'check', path: null, text: parts.filter((part) => part !== '').join('\n') });
  }
  for (const { context, state, description } of await api.statuses(commit)) {
    if (state === 'failure' || state === 'error')
      remarks.push({ kind: 'check', path: null, text: `${context} (${state})\n${description}` });
  }
  return remarks;
}
