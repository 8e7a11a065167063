/**
 * Usage limits of coding agents: which tools wait for theirs, until when, and how they are started again.
 *
 * What waits is the account of a tool; workstreams of other tools, and those without any, go on. Once the limit has passed,
 * one workstream is started, and the others when it has shown that its tool answers, or after a minute; then one a second.
 */
import type { Failure } from '../domain/failure.ts';
import type { EventOf, RunEvent } from '../domain/run-event.ts';
import type { ToolSettings, UsageLimit } from '../domain/tool.ts';
import { isoTimestamp } from '../text/format.ts';

/** What becomes of a workstream whose tool meets a limit that passes. */
type AtLimit = 'wait' | 'switch' | 'fail';

/** That a tool waits, or waited, as it is stored. */
export interface Parking {
  /** The account of the tool. */
  tool: string;
  runId: string;
  class: 'rate' | 'window';
  why: string;
  source: EventOf<'tool-parked'>['source'];
  /** ISO 8601 in UTC. */
  parkedAt: string;
  until: string;
}

export interface ToolLimitsParts {
  runId: string;
  atLimit: AtLimit;
  /** The settings of a tool of this name; null where there is none. */
  lookUp: (name: string) => ToolSettings | null;
  /** Why a tool is not started any more, because it has failed too often; null where it may be. */
  circuit: (name: string) => Failure | null;
  /** Of this and other runs of the database: those after which the tool has not worked yet, the oldest first. */
  openParkings: () => readonly Parking[];
  publish: (event: RunEvent) => void;
  /** Milliseconds since 1970. Default: the clock. */
  now?: () => number;
  /** From 0 to 1. Default: chance. */
  random?: () => number;
}

/** The tools that a workstream is given, or why it has to wait. */
export type ToolChoice = { tools: Record<string, ToolSettings> } | { account: string; until: number };

type LimitFailure = Extract<Failure, { reason: 'usage-limit' }>;

/** One that a person need do nothing about. */
type PassingLimit = UsageLimit & { class: 'rate' | 'window' };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Where a tool does not say when its limit passes: at first, and at most. It doubles each time. */
const GUESS = { first: HOUR, most: 16 * HOUR } as const;
/** Times that were read from words, or guessed, are within these. */
const WAIT = { least: MINUTE, most: 8 * 24 * HOUR } as const;
/** Added to each, so that nothing starts a moment too early, and not all runs at once. */
const LATER = { least: SECOND, most: 5 * SECOND } as const;
/** After so many starts that only met the limit again, the tool is given up. */
const MOST_RESUMPTIONS = 5;
/** How long the first start after a limit may keep the others waiting without a sign. */
const TRIAL = MINUTE;
/** For this long after that, starts are a second apart. */
const STAGGERED = MINUTE;
/** How often what other runs found out is read. */
const REFRESH = SECOND;
/** Waits are at most this long at a time: the clock may be set, and the machine may sleep. */
const NAP = MINUTE;
/** Parkings further apart than this have nothing to do with each other. */
const RELATED = 6 * HOUR;

class Account {
  readonly name: string;
  /** Milliseconds since 1970; nothing is started before. 0 for no limit that is known. */
  until = 0;
  /** The time that the tool gave as a number, without what is added to it; null where it gave none. */
  exactReset: number | null = null;
  why = '';
  /** How often it was started after a limit and met one again, without having worked. */
  resumptions = 0;
  /** Whether it has met a limit, and has not worked since. */
  isOpen = false;
  /** Whether nothing has been started since the limit passed. */
  needsTrial = false;
  /** The workstream that was started first after a limit and has shown nothing yet. */
  trial: { workstreamId: string; endsAt: number } | null = null;
  nextStart = 0;
  staggeredUntil = 0;
  /** Of the last minute, the oldest first. */
  readonly starts: number[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** From when on one more may be started: 0 for now. */
  opensAt(now: number, startsPerMinute: number | null): number {
    const trial = this.trial === null ? 0 : this.trial.endsAt;
    const staggered = this.isOpen || now < this.staggeredUntil ? this.nextStart : 0;
    const at = Math.max(this.until, trial, staggered, this.#nextOfMinute(now, startsPerMinute));
    return at > now ? at : 0;
  }

  #nextOfMinute(now: number, most: number | null): number {
    if (most === null) return 0;
    while ((this.starts[0] ?? now) <= now - MINUTE) this.starts.shift();
    // Fewer than one in a minute are rarer still.
    if (most < 1)
      return this.starts.length === 0 ? this.nextStart : (this.starts.at(-1) ?? 0) + MINUTE / most;
    const first = this.starts[this.starts.length - Math.floor(most)];
    return first === undefined ? 0 : first + MINUTE;
  }
}

export class ToolLimits {
  readonly #parts: ToolLimitsParts;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  /** By workstream: the accounts that it was started with. */
  readonly #running = new Map<string, Account[]>();
  readonly #spentUsd = new Map<string, number>();
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #wakeAt = Number.POSITIVE_INFINITY;
  #onFree: () => void = () => undefined;

  constructor(parts: ToolLimitsParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** Sets what is called when a tool that was refused may be started. */
  onFree(listener: () => void): void {
    this.#onFree = listener;
  }

  /**
   * The tools to start a workstream with, by the names that its steps use: those given, or under `switch` others in place
   * of those that wait. Asked again, once time has passed, for one that has to wait.
   */
  choose(given: Record<string, ToolSettings>): ToolChoice {
    this.#refresh();
    const tools: Record<string, ToolSettings> = {};
    for (const [name, settings] of Object.entries(given)) {
      const chosen = this.#available(settings);
      if ('until' in chosen) {
        this.#wake(chosen.until);
        return chosen;
      }
      tools[name] = chosen;
    }
    return { tools };
  }

  /** Notes that a workstream is started with these. */
  started(workstreamId: string, tools: Record<string, ToolSettings>): void {
    const now = this.#now();
    const accounts = new Map(Object.values(tools).map((settings) => [settings.account, settings]));
    const used = [...accounts].map(([name, { startsPerMinute }]) => {
      const account = this.#account(name);
      if (startsPerMinute !== null) account.starts.push(now);
      if (account.needsTrial) account.trial = { workstreamId, endsAt: now + TRIAL };
      account.needsTrial = false;
      account.nextStart = now + SECOND;
      return account;
    });
    if (used.length > 0) this.#running.set(workstreamId, used);
  }

  /** The tool of a workstream has shown that its model answers: if it was the first one, others are started too. */
  answered(workstreamId: string): void {
    for (const account of this.#running.get(workstreamId) ?? []) this.#endTrial(account, workstreamId);
  }

  /** Notes that a workstream is not executed any more, whatever became of it. */
  ended(workstreamId: string): void {
    this.answered(workstreamId);
    this.#running.delete(workstreamId);
  }

  /** Notes that a tool worked, and met no limit. */
  worked({ account: name }: ToolSettings): void {
    const account = this.#accounts.get(name);
    if (account === undefined || !account.isOpen || account.until > this.#now()) return;
    account.isOpen = false;
    account.resumptions = 0;
    this.#parts.publish({ type: 'tool-resumed', at: isoTimestamp(this.#now()), tool: name });
    if (account.trial !== null) this.#endTrial(account, account.trial.workstreamId);
  }

  /**
   * Takes a limit that passes, and has the account of the tool wait for it. Returns until when, in milliseconds since 1970,
   * and why the workstream fails instead of waiting; null where it waits.
   * @param hasWorked whether the tool got something done before it met the limit.
   */
  met(
    settings: ToolSettings,
    limit: PassingLimit,
    hasWorked: boolean,
  ): { until: number; failure: LimitFailure | null } {
    const account = this.#account(settings.account);
    const now = this.#now();
    if (hasWorked) account.resumptions = 0;
    else if (account.isOpen && account.until <= now) account.resumptions += 1;
    this.#park(account, limit, now);
    const { until } = account;
    const failed = (detail: string): { until: number; failure: LimitFailure } => ({
      until,
      failure: limitFailure(settings, detail, until),
    });
    if (account.resumptions > MOST_RESUMPTIONS)
      return failed(`it met its limit again in each of ${MOST_RESUMPTIONS} starts after one: ${limit.text}`);
    return this.#parts.atLimit === 'fail' ? failed(limit.text) : { until, failure: null };
  }

  /** Adds what a tool is known to have cost. */
  spend(tool: string, usd: number): void {
    this.#spentUsd.set(tool, this.spentUsd(tool) + usd);
  }

  /** US dollars that a tool is known to have cost in this run. */
  spentUsd(tool: string): number {
    return this.#spentUsd.get(tool) ?? 0;
  }

  /** Why neither a tool nor another in its place is started any more; null while one may be. */
  refusal(settings: ToolSettings): Failure | null {
    const own = this.#refusalOf(settings);
    if (own === null) return null;
    return this.#inItsPlace(settings).some((other) => this.#refusalOf(other) === null) ? null : own;
  }

  #refusalOf(settings: ToolSettings): Failure | null {
    const { name, maxCostUsd } = settings;
    const failed = this.#parts.circuit(name);
    if (failed !== null) return failed;
    const spentUsd = this.spentUsd(name);
    if (maxCostUsd !== null && spentUsd >= maxCostUsd)
      return { reason: 'budget-exceeded', of: 'tool', limitUsd: maxCostUsd, spentUsd, tool: name };
    return this.#parts.atLimit === 'fail' ? this.#unawaited(settings) : null;
  }

  /** The limit that a tool is at, where it is not to be waited for; null for none. */
  #unawaited(settings: ToolSettings): LimitFailure | null {
    this.#refresh();
    const account = this.#accounts.get(settings.account);
    if (account === undefined || account.until <= this.#now()) return null;
    return limitFailure(settings, account.why, account.until);
  }

  #inItsPlace({ fallback }: ToolSettings): ToolSettings[] {
    if (this.#parts.atLimit !== 'switch') return [];
    return fallback.flatMap((name) => this.#parts.lookUp(name) ?? []);
  }

  /** What waits the shortest for its limit; null where nothing does. For a run that has nothing else to do. */
  firstToReset(): { tool: string; until: number; why: string } | null {
    const now = this.#now();
    const waiting = [...this.#accounts.values()].filter(({ until }) => until > now);
    const [first] = waiting.toSorted((a, b) => a.until - b.until);
    return first === undefined ? null : { tool: first.name, until: first.until, why: first.why };
  }

  /** Milliseconds until then; 0 for the past. */
  millisecondsUntil(time: number): number {
    return Math.max(0, time - this.#now());
  }

  /** Stops the timer. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** A tool, or another one in its place, that may be started now; otherwise what it waits for. */
  #available(settings: ToolSettings): ToolSettings | { account: string; until: number } {
    const now = this.#now();
    const opensAt = (each: ToolSettings): number =>
      this.#accounts.get(each.account)?.opensAt(now, each.startsPerMinute) ?? 0;
    const mayStart = (each: ToolSettings): boolean => opensAt(each) === 0 && this.#refusalOf(each) === null;
    if (mayStart(settings)) return settings;
    const other = this.#inItsPlace(settings).find(mayStart);
    if (other !== undefined) return other;
    const until = opensAt(settings);
    // What no tool can do any more is not waited for: it is refused.
    return until === 0 ? settings : { account: settings.account, until };
  }

  #park(account: Account, limit: PassingLimit, now: number): void {
    const { until, source } = this.#resetOf(account, limit, now);
    account.trial = null;
    // Read again while it waits, "in 5 hours" means the same time as before.
    const exactReset = source === 'exact' ? limit.resetsAt : null;
    // A number is kept to rather than what was read from words, or guessed; a later one holds for another limit.
    const isBetter = exactReset !== null && (account.exactReset === null || exactReset > account.exactReset);
    if (account.until > now && !isBetter) return;
    Object.assign(account, { isOpen: true, needsTrial: true, until, exactReset, why: limit.text });
    this.#parts.publish({
      type: 'tool-parked',
      at: isoTimestamp(now),
      tool: account.name,
      class: limit.class,
      why: limit.text,
      until: isoTimestamp(until),
      source,
      resumptions: account.resumptions,
      parkedBy: null,
    });
    this.#wake(until);
  }

  #resetOf(
    { resumptions }: Account,
    { resetsAt, exact }: UsageLimit,
    now: number,
  ): { until: number; source: Parking['source'] } {
    const random = this.#parts.random ?? Math.random;
    const later = Math.round(LATER.least + random() * (LATER.most - LATER.least));
    if (resetsAt !== null && exact) return { until: Math.max(resetsAt, now) + later, source: 'exact' };
    const guess = Math.min(GUESS.most, GUESS.first * 2 ** resumptions);
    const wait = resetsAt === null ? guess : resetsAt - now;
    const clamped = Math.min(WAIT.most, Math.max(WAIT.least, wait));
    return { until: now + clamped + later, source: resetsAt === null ? 'guess' : 'words' };
  }

  #endTrial(account: Account, workstreamId: string): void {
    if (account.trial?.workstreamId !== workstreamId) return;
    const now = this.#now();
    account.trial = null;
    account.staggeredUntil = now + STAGGERED;
    this.#wake(account.nextStart);
  }

  /** Reads what other runs, and earlier sessions of this one, found out. */
  #refresh(): void {
    const now = this.#now();
    if (now - this.#refreshedAt < REFRESH) return;
    const isFirst = this.#refreshedAt === Number.NEGATIVE_INFINITY;
    this.#refreshedAt = now;
    const all = this.#parts.openParkings();
    for (const tool of new Set(all.map((parking) => parking.tool))) {
      const parkings = all.filter((parking) => parking.tool === tool);
      const newest = parkings.at(-1);
      if (newest === undefined || (!isFirst && newest.runId === this.#parts.runId)) continue;
      this.#takeOver(this.#account(tool), newest, related(parkings, now).length - 1, now);
    }
  }

  #takeOver(account: Account, newest: Parking, resumptions: number, now: number): void {
    const until = Date.parse(newest.until);
    if (Number.isNaN(until) || resumptions < 0 || until <= account.until) return;
    const { tool, class: kind, why, source, runId } = newest;
    const exactReset = source === 'exact' ? until : null;
    Object.assign(account, { until, exactReset, why, isOpen: true, needsTrial: true, resumptions });
    if (until <= now) return;
    this.#parts.publish({
      type: 'tool-parked',
      at: isoTimestamp(now),
      tool,
      class: kind,
      why,
      until: newest.until,
      source,
      resumptions,
      parkedBy: runId,
    });
  }

  #account(name: string): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const account = new Account(name);
    this.#accounts.set(name, account);
    return account;
  }

  /** Calls the listener then, or earlier. */
  #wake(at: number): void {
    if (at >= this.#wakeAt && this.#timer !== null) return;
    this.close();
    this.#wakeAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#wakeAt = Number.POSITIVE_INFINITY;
        this.#onFree();
      },
      Math.min(NAP, this.millisecondsUntil(at) + 1),
    );
  }
}

const limitFailure = ({ name }: ToolSettings, detail: string, until: number): LimitFailure => ({
  reason: 'usage-limit',
  tool: name,
  detail,
  tail: '',
  log: null,
  resetsAt: isoTimestamp(until),
});

/** The newest parkings of a tool, each soon after the one before it; none where the newest is long over. */
function related(parkings: readonly Parking[], now: number): Parking[] {
  const found: Parking[] = [];
  let next = now;
  for (const parking of parkings.toReversed()) {
    if (next - Date.parse(parking.until) > RELATED) break;
    found.push(parking);
    next = Date.parse(parking.parkedAt);
  }
  return found;
}
