/** What was said of the pull requests of a run, as a task for the next attempts at its workstreams. */
import { ApiError, endsWork } from '../../github/api.ts';
import { type Remark, remarksOf } from '../../github/reviews.ts';
import { feedbackOf } from '../../store/write/published.ts';
import { shortened } from '../../text/cut-text.ts';
import { plural } from '../../text/format.ts';
import { printable } from '../../text/printable.ts';
import { commitTime } from '../../worktree/remote/remote.ts';
import type { Repository } from '../../worktree/repository.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { type AcceptedWork, acceptedWork, definedNow, pullBranch } from './accepted-work.ts';
import { connect, findCheckout, type GitHub, PublishedStore, type Where } from './connect.ts';

export interface FeedbackOptions extends Where {
  /** Name of the run; null for the newest. */
  runName: string | null;
  /** Whether what anybody wrote counts, and not only what those did who may write to the repository. */
  anyone: boolean;
  dryRun: boolean;
  notify: (sentence: string) => void;
}

/** What became of the feedback for a workstream. */
export interface FeedbackRow {
  workstreamId: string;
  /** Number of its pull request; null where it has none that is open. */
  pull: number | null;
  /** `kept`: its next attempt is told. */
  action: 'kept' | 'unchanged' | 'nothing-said' | 'no-pull-request' | 'failed';
  remarks: number;
  /** The task that its coding agent gets; null where there is none. */
  text: string | null;
  detail: string | null;
}

export interface FeedbackResult {
  runId: string;
  dryRun: boolean;
  workstreams: FeedbackRow[];
  problems: string[];
}

/**
 * A failure is the row of its workstream, and the rest goes on.
 * @throws Refusal with exit code 2 where it can't begin, 4 where nothing was accepted.
 */
export async function collectFeedback(
  run: RunOptions,
  paths: Paths,
  options: FeedbackOptions,
): Promise<FeedbackResult> {
  const {
    run: { runId },
    works,
  } = acceptedWork(paths, options.runName);
  const { repository, remote } = await findCheckout(paths.cwd, options);
  const github = await connect(options, remote, options.notify);
  const { redactor } = definedNow(run, paths);
  const collector = new Collector({ github, repository, runId, works, options });
  const ids = works.map(({ result }) => result.workstreamId);
  const before = withDatabase(paths.database, (connection) =>
    connection === null ? new Map<string, string>() : feedbackOf(connection, ids),
  );
  const store = new PublishedStore(paths);
  const workstreams: FeedbackRow[] = [];
  try {
    for (const work of works) {
      const row = await collector.rowOf(work);
      const text = row.text === null ? null : redactor.text(row.text);
      const isNew = text !== null && before.get(row.workstreamId) !== text;
      if (text !== null && isNew && !options.dryRun)
        store.feedback({ workstreamId: row.workstreamId, runId, text });
      workstreams.push({ ...row, text, action: text === null || isNew ? row.action : 'unchanged' });
    }
    return { runId, dryRun: options.dryRun, workstreams, problems: store.problems };
  } finally {
    store.close();
  }
}

interface CollectorParts {
  github: GitHub;
  repository: Repository;
  runId: string;
  works: readonly AcceptedWork[];
  options: FeedbackOptions;
}

/** What was said of a pull request. */
interface Said {
  number: number;
  url: string;
  remarks: readonly Remark[];
  ofStrangers: number;
  unread: string | null;
}

class Collector {
  readonly #parts: CollectorParts;
  /** Why nothing more is asked for: the next would fail in the same way. Null while it is. */
  #stopped: string | null = null;
  /** Of the pull request of the whole run, asked for once. */
  #ofRun: Promise<Said | null> | null = null;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  async rowOf(work: AcceptedWork): Promise<FeedbackRow> {
    const { workstreamId } = work.result;
    const empty = { workstreamId, pull: null, remarks: 0, text: null, detail: null };
    if (this.#stopped !== null) return { ...empty, action: 'failed', detail: this.#stopped };
    try {
      const own = await this.#said(workstreamId, work.commit);
      this.#ofRun ??= this.#said(this.#parts.runId, null);
      const whole = await this.#ofRun;
      const said = [own, whole === null ? null : this.#partOf(whole, work)].filter((each) => each !== null);
      const [first] = said;
      if (first === undefined) return { ...empty, action: 'no-pull-request' };
      const remarks = said.reduce((sum, each) => sum + each.remarks.length, 0);
      const detail = detailOf(said);
      if (remarks === 0) return { ...empty, pull: first.number, action: 'nothing-said', detail };
      return { workstreamId, pull: first.number, action: 'kept', remarks, text: taskOf(said), detail };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (endsWork(error)) this.#stopped = error.message;
      return { ...empty, action: 'failed', detail: error.message };
    }
  }

  /** Null where no pull request of it is open. */
  async #said(subject: string, commit: string | null): Promise<Said | null> {
    const { github, repository, options } = this.#parts;
    const pulls = await github.api.pullsOf(pullBranch(subject));
    const open = pulls.find(({ state }) => state === 'open');
    if (open === undefined) return null;
    const since = await commitTime(repository, commit ?? open.head.sha);
    const { anyone } = options;
    const found = await remarksOf(github.api, open, { anyone, since });
    return { number: open.number, url: open.html_url, ...found };
  }

  /** Without what is about files that other workstreams changed. */
  #partOf(whole: Said, { result }: AcceptedWork): Said {
    const own = new Set(result.filesModified);
    const all = new Set(this.#parts.works.flatMap((work) => work.result.filesModified));
    const isMeant = ({ path }: Remark): boolean => path === null || own.has(path) || !all.has(path);
    return { ...whole, remarks: whole.remarks.filter(isMeant) };
  }
}

/** What a person should know of what was left out; null for nothing. */
function detailOf(said: readonly Said[]): string | null {
  const strangers = said.reduce((sum, each) => sum + each.ofStrangers, 0);
  const left =
    strangers === 0 ? [] : [`${plural(strangers, 'comment')} of others left out; --anyone takes them`];
  const parts = [...left, ...said.flatMap(({ unread }) => unread ?? [])];
  return parts.length === 0 ? null : parts.join('. ');
}

/** Longest text of one remark, and of all together. */
const REMARK = 4_000;
const ALL = 24_000;

const HEADS: [Remark['kind'], string][] = [
  ['check', 'Checks that failed'],
  ['review', 'Reviews'],
  ['line', 'Comments on lines'],
  ['comment', 'Comments'],
];

/** The same remarks give the same text. */
function taskOf(said: readonly Said[]): string {
  const urls = said.map(({ url }) => url).join(' and ');
  const remarks = said.flatMap((each) => each.remarks);
  const sections = HEADS.flatMap(([kind, head]) => {
    const found = remarks.filter((remark) => remark.kind === kind);
    if (found.length === 0) return [];
    return [
      `${head}:\n${found.map(({ text }) => `- ${indented(shortened(printable(text), REMARK))}`).join('\n')}`,
    ];
  });
  const intro = `Act on what was said of the work that was done before, in the pull request ${urls}. It starts anew: do all tasks, and mind what follows. What others wrote says what to change, and is no reason to go beyond this work.`;
  return shortened([intro, ...sections].join('\n\n'), ALL);
}

const indented = (text: string): string => text.trim().replaceAll(/\r?\n/g, '\n  ');
