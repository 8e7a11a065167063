/** Glyphs on a grid of 16 units. They differ in shape before they differ in colour. */
import type { ComponentChildren } from 'preact';
import type { Badge } from './model/needs.ts';
import type { WorkMark } from './model/run.ts';
import type { Tone } from './model/verdict.ts';

const line = {
  fill: 'none',
  stroke: 'currentColor',
  'stroke-width': 1.6,
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round',
} as const;

const octagon = 'M5.2 1.3h5.6l3.9 3.9v5.6l-3.9 3.9H5.2l-3.9-3.9V5.2z';

/** Made at each use: an element that is kept would keep the page on which it was drawn first. */
const GLYPHS = {
  tick: () => (
    <>
      <circle cx={8} cy={8} r={6.2} {...line} />
      <path d="M5 8.3l2.1 2.1L11.2 6" {...line} />
    </>
  ),
  cross: () => (
    <>
      <path d={octagon} fill="currentColor" />
      <path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" class="on-glyph" {...line} />
    </>
  ),
  bubble: () => (
    <>
      <path d="M2 2.5h12v8H8.5L5 14v-3.5H2z" {...line} />
      <path d="M6.2 4.7l3.6 3.6M9.8 4.7L6.2 8.3" {...line} />
    </>
  ),
  fork: () => (
    <>
      <path d="M4 2v4c0 2.5 4 2.5 4 5v3M12 2v4c0 2.5-4 2.5-4 5" {...line} />
      <path d="M2.5 12l3 3M5.5 12l-3 3" {...line} />
    </>
  ),
  pause: () => (
    <>
      <rect x={2} y={2} width={12} height={12} rx={2.5} {...line} />
      <path d="M6 5.2v5.6M10 5.2v5.6" {...line} />
    </>
  ),
  dash: () => (
    <>
      <circle cx={8} cy={8} r={6.2} {...line} stroke-dasharray="2.6 2.2" />
      <path d="M5 8h6" {...line} />
    </>
  ),
  half: () => (
    <>
      <circle cx={8} cy={8} r={6.2} {...line} />
      <path d="M8 3.8a4.2 4.2 0 0 1 0 8.4z" fill="currentColor" />
    </>
  ),
  star: () => <path d="M8 1.2l1.8 5 5 1.8-5 1.8-1.8 5-1.8-5-5-1.8 5-1.8z" fill="currentColor" />,
  back: () => <path d="M3 7h7a3.5 3.5 0 0 1 0 7H6M3 7l3.4-3.4M3 7l3.4 3.4" {...line} />,
  wave: () => <path d="M1 10c1.8-5 3.5-5 5.2-1s3.4 4 5-1 2.6-4 3.8-2" {...line} />,
  again: () => <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3" {...line} />,
  search: () => (
    <>
      <circle cx={7} cy={7} r={4.5} {...line} />
      <path d="M10.5 10.5L14 14" {...line} />
    </>
  ),
  theme: () => (
    <>
      <circle cx={8} cy={8} r={6} {...line} />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
    </>
  ),
  copy: () => (
    <>
      <rect x={5.5} y={5.5} width={8} height={8.5} rx={1.5} {...line} />
      <path d="M10.5 3.5V3A1.5 1.5 0 0 0 9 1.5H4A1.5 1.5 0 0 0 2.5 3v6.5A1.5 1.5 0 0 0 4 11" {...line} />
    </>
  ),
  prompt: () => (
    <>
      <path d="M2 3h12v8H8l-3 3v-3H2z" {...line} />
      <path d="M5 6h6M5 8.3h4" {...line} />
    </>
  ),
  stop: () => <rect x={3.5} y={3.5} width={9} height={9} rx={1.5} fill="currentColor" />,
  lines: () => <path d="M2.5 4h11M2.5 8h11M2.5 12h7" {...line} />,
  down: () => <path d="M3.5 6L8 10.5 12.5 6" {...line} />,
} satisfies Record<string, ComponentChildren>;

export type Glyph = keyof typeof GLYPHS;

export function Icon({ glyph }: { glyph: Glyph }) {
  return (
    <svg class="i" viewBox="0 0 16 16" aria-hidden="true">
      {GLYPHS[glyph]()}
    </svg>
  );
}

export const MARK_GLYPHS: Record<WorkMark, Glyph> = {
  running: 'half',
  completed: 'tick',
  retried: 'tick',
  failed: 'cross',
  odd: 'bubble',
  conflict: 'fork',
  wait: 'pause',
  skipped: 'dash',
};

export const TONE_GLYPHS: Record<Tone, Glyph> = {
  completed: 'tick',
  failed: 'cross',
  odd: 'bubble',
  skipped: 'dash',
  running: 'half',
};

export const BADGE_GLYPHS: Record<Badge, Glyph> = {
  new: 'star',
  regressed: 'back',
  'false success': 'bubble',
  'not accepted': 'cross',
  conflict: 'fork',
  failed: 'cross',
  recurring: 'again',
  flaky: 'wave',
  'out of quota': 'pause',
};

export function Brand() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <g {...line} stroke-width={1.8}>
        <circle cx={12} cy={9} r={5.2} />
        <path d="M12 1.5v3M12 13.5v2M4.5 9h3M16.5 9h3M6.7 3.7l2 2M17.3 3.7l-2 2" />
        <path d="M1.5 18.5c2.5-2 4.5-2 7 0s4.5 2 7 0 4.5-2 7 0" />
        <path d="M4 22c2-1.2 3.5-1.2 5.5 0s3.5 1.2 5.5 0 3-1.2 5 0" />
      </g>
      <circle cx={12} cy={9} r={1.5} fill="currentColor" />
    </svg>
  );
}
