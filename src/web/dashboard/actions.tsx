/** Buttons that act on a run: each says what it does, why it can't, and afterwards what came of it. */
import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ActAnswer, LiveState } from '../../domain/dashboard/answers.ts';
import { Modal, type ModalRequest, openModal } from '../modal.tsx';
import { oneLine } from '../model/format.ts';
import { Words } from '../parts.tsx';
import { act, messageOfError } from './client.ts';

/** What came of the last action, until it is closed; null for nothing. */
const said = signal<{ text: string; isProblem: boolean } | null>(null);

/** Most results that are told of one action. */
const TOLD = 5;

/** Why nothing can be asked of a run; null where it can. */
export function whyNot(live: LiveState | null): string | null {
  if (live === null) return 'The run is not under way.';
  return live.canAct ? null : 'The run can’t be reached: it runs on another machine, or does not listen.';
}

const TRIED = 'It is tried again already.';

interface ActProps {
  runId: string;
  live: LiveState | null;
  what: 'stop' | 'retry';
  /** None for the whole run, which can be stopped; there is nothing to retry then. */
  workstreams: readonly string[];
  children: ComponentChildren;
  label?: string;
  class?: string;
  /** Called when the run, or a problem, has answered. */
  onDone?: () => void;
}

export function ActButton(props: ActProps) {
  const { runId, live, what, workstreams, children, label, class: name = 'b', onDone } = props;
  const isBusy = useSignal(false);
  const problem = whyNot(live) ?? (what === 'retry' && workstreams.length === 0 ? TRIED : null);
  const press = async (): Promise<void> => {
    if (problem !== null || isBusy.value) return;
    isBusy.value = true;
    try {
      const { results } = await act(runId, what, workstreams);
      said.value = { text: textOf(results), isProblem: false };
    } catch (error) {
      said.value = { text: messageOfError(error), isProblem: true };
    }
    isBusy.value = false;
    onDone?.();
  };
  return (
    <button
      type="button"
      class={name}
      aria-label={label}
      aria-disabled={problem !== null || isBusy.value}
      title={problem ?? label}
      onClick={() => void press()}
    >
      {children}
    </button>
  );
}

/** What came of an action on workstreams, or on the whole run, of which there are no results. */
function textOf(results: ActAnswer['results']): string {
  if (results.length === 0)
    return 'The run is ending: nothing more is started, and what is running is stopped.';
  const texts = results.slice(0, TOLD).map(({ text }) => oneLine(text, 300));
  const left = results.length - texts.length;
  return [...texts, ...(left > 0 ? [`And ${left} more.`] : [])].join(' ');
}

interface StopProps {
  runId: string;
  live: LiveState | null;
  /**
   * Null for the whole run. Where another workstream may follow in the same place the button needs a key, so that whoever is
   * asked of the one does not stop the other.
   */
  workstream: { id: string; title: string } | null;
  children: ComponentChildren;
  label?: string;
  class?: string;
}

/** Stops a run or a workstream once that is confirmed. */
export function StopButton({ children, label, class: name = 'b', ...stopped }: StopProps) {
  const question = useSignal(0);
  const problem = whyNot(stopped.live);
  return (
    <>
      <button
        type="button"
        class={name}
        aria-label={label}
        aria-disabled={problem !== null}
        title={problem ?? label}
        onClick={() => {
          if (problem === null) openModal(question);
        }}
      >
        {children}
      </button>
      <StopDialog {...stopped} question={question} />
    </>
  );
}

type DialogProps = Pick<StopProps, 'runId' | 'live' | 'workstream'> & { question: ModalRequest };

function StopDialog({ question, runId, live, workstream }: DialogProps) {
  return (
    <Modal
      request={question}
      title={workstream === null ? 'Stop the run?' : <StopTitle title={workstream.title} />}
    >
      {(close) => (
        <>
          {workstream === null ? <WhenRunIsStopped /> : <WhenWorkstreamIsStopped />}
          <form method="dialog" class="choices">
            <button type="submit" class="b">
              Let it go on
            </button>
            <ActButton
              runId={runId}
              live={live}
              what="stop"
              workstreams={workstream === null ? [] : [workstream.id]}
              class="b danger"
              onDone={close}
            >
              {workstream === null ? 'Stop the run' : 'Stop it'}
            </ActButton>
          </form>
        </>
      )}
    </Modal>
  );
}

const WhenRunIsStopped = () => (
  <p>
    What is being executed is ended, and what has not begun does not begin. What has ended is kept, and{' '}
    <code>millrace run --resume</code> goes on with the rest.
  </p>
);

const WhenWorkstreamIsStopped = () => (
  <p>
    It is ended, and fails as cancelled. What depends on it is skipped, and the run goes on. It can be tried
    again.
  </p>
);

function StopTitle({ title }: { title: string }) {
  return (
    <>
      Stop <Words text={title} length={120} />?
    </>
  );
}

/** What came of the last action. */
export function Said() {
  const { value } = said;
  return (
    <div class={value === null ? 'said is-empty' : value.isProblem ? 'said is-fail' : 'said'}>
      <span role="status">{value?.text ?? ''}</span>
      {value !== null && (
        <button type="button" class="b quiet" onClick={() => (said.value = null)}>
          Close
        </button>
      )}
    </div>
  );
}
