/** Brings issues to what they should say: finds each again, creates it once, and writes only what differs. */
import { ApiError, endsWork, type GitHubApi, type GitHubIssue, type IssueFields } from './api.ts';
import { blocksIn, shortHash, withBlock } from './marks.ts';

/** By this label the issues of Millrace are listed. */
const LABEL = 'millrace';

/** Where a workstream stands, the one that a person should see first of several of one issue. */
const TICKET_STATES = ['failed', 'skipped', 'pending', 'completed'] as const;
export type TicketState = (typeof TICKET_STATES)[number];

const stateLabel = (state: TicketState): string => `${LABEL}:${state}`;
const isOurs = (label: string): boolean =>
  label.toLowerCase() === LABEL || TICKET_STATES.some((state) => label.toLowerCase() === stateLabel(state));

/** What an issue is to say of one workstream. */
interface TicketText {
  title: string;
  /** Markdown. */
  content: string;
  state: TicketState;
}

/** A workstream that is to have an issue. */
export interface Ticket {
  /** The workstream's id. */
  subject: string;
  /** The issue that its definition names; null for none. */
  asked: number | null;
  /** The issue that it had before; null where none is known. */
  known: number | null;
  /**
   * @param numbers of the issues that are known by now, by subject.
   * @param before what the issue said of it before; null for nothing.
   */
  text: (numbers: ReadonlyMap<string, number>, before: string | null) => TicketText;
}

/** What became of a ticket. */
export interface TicketOutcome {
  subject: string;
  /** Null where there is no issue. */
  number: number | null;
  url: string | null;
  action: 'created' | 'updated' | 'unchanged' | 'failed';
  /** Why it failed, or what a person should know; null for nothing. */
  detail: string | null;
}

export interface IssueSync {
  /** In an order in which those come first that others name. */
  tickets: readonly Ticket[];
  /** Whether anything is written. Without, an outcome says what would be done. */
  write: boolean;
  /** Told of each number as soon as it is known, before anything else is asked for. */
  onNumber: (subject: string, number: number) => void;
}

/**
 * One request finds a hundred issues, and one creates or updates an issue; what is known by its number alone takes one
 * more. A failure is the outcome of its ticket, and the others go on.
 */
export async function syncIssues(api: GitHubApi, sync: IssueSync): Promise<TicketOutcome[]> {
  const run = new SyncRun(api, sync);
  const problem = await run.find();
  const outcomes: TicketOutcome[] = [];
  for (const group of groupsOf(sync.tickets))
    outcomes.push(...(problem === null ? await run.bring(group) : failed(group, problem)));
  return outcomes;
}

/** Tickets of one issue: definitions may name the same. */
function groupsOf(tickets: readonly Ticket[]): Ticket[][] {
  const byNumber = new Map<number, Ticket[]>();
  const groups: Ticket[][] = [];
  for (const ticket of tickets) {
    const same = ticket.asked === null ? undefined : byNumber.get(ticket.asked);
    if (same !== undefined) {
      same.push(ticket);
      continue;
    }
    const group = [ticket];
    groups.push(group);
    if (ticket.asked !== null) byNumber.set(ticket.asked, group);
  }
  return groups;
}

const failed = (group: readonly Ticket[], detail: string): TicketOutcome[] =>
  group.map(({ subject }) => ({ subject, number: null, url: null, action: 'failed', detail }));

/** A problem of one ticket; the message is a sentence. */
class TicketProblem extends Error {}

class SyncRun {
  readonly #api: GitHubApi;
  readonly #sync: IssueSync;
  readonly #byNumber = new Map<number, GitHubIssue>();
  readonly #bySubject = new Map<string, GitHubIssue>();
  readonly #numbers = new Map<string, number>();
  /** Whether issues without the label have been looked at. */
  #hasLookedFurther = false;
  /** Why nothing more is asked for; null while it is. */
  #stopped: string | null = null;

  constructor(api: GitHubApi, sync: IssueSync) {
    this.#api = api;
    this.#sync = sync;
    for (const { subject, asked, known } of sync.tickets) {
      const number = asked ?? known;
      if (number !== null) this.#numbers.set(subject, number);
    }
  }

  /** Lists the issues of Millrace. Returns why that is not possible; null where it is. */
  async find(): Promise<string | null> {
    try {
      for (const issue of await this.#api.issues({ labels: LABEL, state: 'all' })) this.#add(issue);
      return null;
    } catch (error) {
      return sentenceOf(error);
    }
  }

  async bring(group: readonly Ticket[]): Promise<TicketOutcome[]> {
    if (this.#stopped !== null) return failed(group, this.#stopped);
    try {
      return await this.#bring(group);
    } catch (error) {
      const detail = error instanceof TicketProblem ? error.message : sentenceOf(error);
      if (error instanceof ApiError && endsWork(error)) this.#stopped = detail;
      return failed(group, detail);
    }
  }

  async #bring(group: readonly Ticket[]): Promise<TicketOutcome[]> {
    const [first] = group;
    if (first === undefined) return [];
    const { issue, note } = await this.#issueOf(first);
    if (issue === null) return [await this.#create(first, note)];
    for (const { subject } of group) this.#know(subject, issue.number);
    const fields = changesOf(issue, this.#wanted(issue, group));
    const isChanged = Object.keys(fields).length > 0;
    if (isChanged && this.#sync.write) await this.#api.updateIssue(issue.number, fields);
    return group.map(({ subject }) => ({
      subject,
      number: issue.number,
      url: issue.html_url,
      action: isChanged ? 'updated' : 'unchanged',
      detail: note,
    }));
  }

  /** The issue of a ticket; null where it is to be created, with what a person should know of that. */
  async #issueOf({
    subject,
    asked,
    known,
  }: Ticket): Promise<{ issue: GitHubIssue | null; note: string | null }> {
    if (asked !== null) {
      const issue = this.#byNumber.get(asked) ?? (await this.#ask(asked));
      if (issue === null)
        throw new TicketProblem(
          `ccpm_issue names #${asked}, which does not exist here; correct it, or remove it.`,
        );
      return { issue, note: null };
    }
    const marked = this.#bySubject.get(subject);
    if (marked !== undefined) return { issue: marked, note: null };
    if (known !== null) {
      const issue = this.#byNumber.get(known) ?? (await this.#ask(known));
      return { issue, note: issue === null ? `#${known}, which it had, does not exist any more.` : null };
    }
    await this.#lookFurther();
    return { issue: this.#bySubject.get(subject) ?? null, note: null };
  }

  /** Null where it does not exist any more. */
  async #ask(number: number): Promise<GitHubIssue | null> {
    const issue = await this.#api.issue(number).catch((error: unknown) => {
      if (error instanceof ApiError && (error.kind === 'gone' || error.kind === 'missing')) return null;
      throw error;
    });
    // One that was moved to another repository is answered from there.
    if (issue === null || issue.number !== number) return null;
    if (issue.pull_request) throw new TicketProblem(`ccpm_issue names #${number}, which is a pull request.`);
    this.#add(issue);
    return issue;
  }

  /**
   * Among the newest issues without the label, which a person may have removed: at most one page for each issue that may
   * have to be created. Of strangers none counts, because anybody can write a mark.
   */
  async #lookFurther(): Promise<void> {
    if (this.#hasLookedFurther) return;
    this.#hasLookedFurther = true;
    const unknown = this.#sync.tickets.filter(
      ({ subject, asked, known }) => asked === null && known === null && !this.#bySubject.has(subject),
    );
    const newest = await this.#api.issues({ state: 'all', pages: unknown.length });
    for (const issue of newest) if (isTrusted(issue)) this.#add(issue);
  }

  async #create(ticket: Ticket, note: string | null): Promise<TicketOutcome> {
    const { subject } = ticket;
    const { title, content, state } = ticket.text(this.#numbers, null);
    if (!this.#sync.write) return { subject, number: null, url: null, action: 'created', detail: note };
    const fields = {
      title,
      body: withBlock('', { subject, fields: { title: shortHash(title) }, content }),
      labels: [LABEL, stateLabel(state)],
    };
    const issue = await this.#createOnce(subject, fields);
    this.#know(subject, issue.number);
    if (!issue.labels.includes(LABEL)) {
      const why = `The token may not set labels, by which issues are found again; it needs the right to write issues, and its user that to triage.`;
      this.#stopped = why;
      return { subject, number: issue.number, url: issue.html_url, action: 'failed', detail: why };
    }
    return { subject, number: issue.number, url: issue.html_url, action: 'created', detail: note };
  }

  /** Where no answer came it may have been created all the same: it is looked for before anything else is done. */
  async #createOnce(subject: string, fields: IssueFields): Promise<GitHubIssue> {
    try {
      return await this.#api.createIssue(fields);
    } catch (error) {
      if (!(error instanceof ApiError && error.kind === 'unreachable')) throw error;
      for (const issue of await this.#api.issues({ labels: LABEL, state: 'all', pages: 1 })) this.#add(issue);
      return this.#bySubject.get(subject) ?? (await this.#api.createIssue(fields));
    }
  }

  /** What the issue is to say, with all that people wrote and set. */
  #wanted(issue: GitHubIssue, group: readonly Ticket[]): IssueFields {
    let { title, body } = issue;
    const states: TicketState[] = [];
    for (const { subject, text } of group) {
      const before = blocksIn(issue.body).find((block) => block.subject === subject);
      const wanted = text(this.#numbers, before?.content ?? null);
      const hash = before?.fields['title'];
      // A title that a person wrote, or changed, stays.
      const isOurTitle = hash !== undefined && hash === shortHash(issue.title);
      if (isOurTitle) title = wanted.title;
      const fields = hash === undefined ? {} : { title: isOurTitle ? shortHash(wanted.title) : hash };
      body = withBlock(body, { subject, fields, content: wanted.content });
      states.push(wanted.state);
    }
    const state = TICKET_STATES.find((each) => states.includes(each)) ?? 'pending';
    const labels = [...issue.labels.filter((label) => !isOurs(label)), LABEL, stateLabel(state)];
    return { title, body, labels };
  }

  #know(subject: string, number: number): void {
    this.#numbers.set(subject, number);
    if (this.#sync.write) this.#sync.onNumber(subject, number);
  }

  /** Of two with one mark the older one counts. */
  #add(issue: GitHubIssue): void {
    this.#byNumber.set(issue.number, issue);
    for (const { subject } of blocksIn(issue.body)) {
      const other = this.#bySubject.get(subject);
      if (other === undefined || other.number > issue.number) this.#bySubject.set(subject, issue);
      if (!this.#numbers.has(subject)) this.#numbers.set(subject, issue.number);
    }
  }
}

const TRUSTED: ReadonlySet<string> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/** Whether somebody wrote it who may write to the repository, or a bot that somebody installed there. */
export const isTrusted = ({
  user,
  author_association: association,
}: Pick<GitHubIssue, 'user' | 'author_association'>): boolean =>
  TRUSTED.has(association) || user?.type === 'Bot';

function changesOf(issue: GitHubIssue, wanted: IssueFields): Partial<IssueFields> {
  const sorted = (labels: readonly string[]): string => JSON.stringify(labels.toSorted());
  return {
    ...(wanted.title === issue.title ? {} : { title: wanted.title }),
    ...(wanted.body === issue.body ? {} : { body: wanted.body }),
    ...(sorted(wanted.labels) === sorted(issue.labels) ? {} : { labels: wanted.labels }),
  };
}

/** @throws what is a bug. */
function sentenceOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  throw error;
}
