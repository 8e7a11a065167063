/** Draws what has changed, a part of it in each frame, so that no frame takes long, however much there is on the page. */
import { useSignal } from '@preact/signals';
import {
  Component,
  type ComponentChildren,
  type ComponentClass,
  type FunctionComponent,
  toChildArray,
} from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { drawingGoesOn } from './state.ts';

/**
 * The component, drawn again only when one of these values has changed. Not `useMemo` of an element: an element that is kept
 * refers to all that was drawn when it was made, and of many that are kept each holds the page of another moment.
 */
export function drawnFor<Props extends object>(
  Drawn: FunctionComponent<Props>,
  valuesOf: (props: Props) => readonly unknown[],
): ComponentClass<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const before = valuesOf(this.props);
      return valuesOf(next).some((value, index) => value !== before[index]);
    }

    override render(props: Props) {
      return <Drawn {...props} />;
    }
  };
}

/** Of more workstreams the sections of a page take longer together than a page may keep its reader waiting. */
const LARGE = 500;
/** Sections of a large run that are drawn at once: what is in view at first. */
const FIRST = 2;

/** The sections of a page: all at once, but of a large run one more in each frame. */
export function Sections({ workstreams, children }: { workstreams: number; children: ComponentChildren }) {
  const sections = toChildArray(children);
  const drawn = useSignal(workstreams > LARGE ? FIRST : sections.length);
  const isWhole = drawn.value >= sections.length;
  useLayoutEffect(() => (isWhole ? undefined : drawingGoesOn()), [isWhole]);
  useEffect(() => {
    if (isWhole) return undefined;
    const frame = requestAnimationFrame(() => {
      drawn.value += 1;
    });
    return () => cancelAnimationFrame(frame);
  }, [drawn.value, isWhole]);
  return <>{sections.slice(0, drawn.value)}</>;
}

export interface Staggered<T> {
  /** What to draw now: as many members as there are, some of them as they were a few frames ago. */
  drawn: readonly T[];
  /** Whether all of them are as they are now. */
  isWhole: boolean;
}

/**
 * Replaces in each frame the next few members that have become other objects.
 * @param atOnce when this is another value, or the list another length, all members are replaced at once.
 */
export function useStaggered<T>(items: readonly T[], atOnce: unknown, most: number): Staggered<T> {
  const state = useRef({ drawn: items, atOnce, next: 0 });
  const frames = useSignal(0);
  // Read, so that the next frame draws again.
  void frames.value;
  const { current } = state;
  if (current.atOnce !== atOnce || current.drawn.length !== items.length)
    state.current = { drawn: items, atOnce, next: 0 };
  else if (current.drawn !== items) state.current = { ...replaceSome(current, items, most), atOnce };
  const { drawn } = state.current;
  const isWhole = drawn === items;
  useEffect(() => {
    if (isWhole) return undefined;
    const frame = requestAnimationFrame(() => {
      frames.value += 1;
    });
    return () => cancelAnimationFrame(frame);
  });
  return { drawn, isWhole };
}

/** Begins where the last frame ended, so that each member has its turn also where the list changes all the time. */
function replaceSome<T>(
  { drawn, next }: { drawn: readonly T[]; next: number },
  items: readonly T[],
  most: number,
): { drawn: readonly T[]; next: number } {
  const mixed = [...drawn];
  let [replaced, looked] = [0, 0];
  for (; looked < items.length && replaced < most; looked++) {
    const at = (next + looked) % items.length;
    const item = items[at];
    if (item === undefined || item === mixed[at]) continue;
    mixed[at] = item;
    replaced += 1;
  }
  const isWhole = mixed.every((each, index) => each === items[index]);
  return { drawn: isWhole ? items : mixed, next: (next + looked) % items.length };
}
