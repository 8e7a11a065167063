/** Whether a run whose process died goes on. Pure. */
import { type Death, describeDeath } from '../domain/death.ts';
import type { FromRun, GoingOn } from './protocol.ts';

/** Deaths in a row between which nothing was handed out and nothing ended: the run dies for reasons of its own. */
const MAX_IDLE = 3;
/** Deaths of one run. From the fifth on every workstream has a process of its own, so these are not theirs. */
const MAX_DEATHS = 20;

export class Deaths {
  #run: Extract<FromRun, { type: 'run' }> | null = null;
  /** Whether the process that is alive has said which run it has. */
  #isKnown = false;
  #deaths = 0;
  #idle = 0;

  /** Takes what a process says when it has taken the run. What it found there is what the one before it did. */
  begun(run: Extract<FromRun, { type: 'run' }>): void {
    const moved = this.#run === null || run.inHand > 0 || run.results > this.#run.results;
    this.#idle = moved ? 0 : this.#idle + 1;
    this.#run = run;
    this.#isKnown = true;
  }

  /** Takes a death: how the run goes on, or why it does not. */
  died(death: Death): { goesOn: GoingOn } | { goesOn: null; why: string } {
    this.#deaths += 1;
    if (!this.#isKnown) this.#idle += 1;
    this.#isKnown = false;
    const how = `Its process ${describeDeath(death)}`;
    if (this.#run === null) return { goesOn: null, why: `${how} before the run had begun. Nothing was run.` };
    const { runId } = this.#run;
    const byHand = `What there is of ${runId} is kept; to go on with it: millrace run --resume ${runId}`;
    if (this.#idle >= MAX_IDLE) {
      return { goesOn: null, why: `${how} again and again before it did anything. ${byHand}` };
    }
    if (this.#deaths >= MAX_DEATHS) {
      return { goesOn: null, why: `${how}, the ${MAX_DEATHS}th that died. ${byHand}` };
    }
    return { goesOn: { runId, death, deaths: this.#deaths } };
  }
}
