import type { ChalkInstance } from 'chalk';
import type { Glyphs } from './glyphs.ts';

/** The window, the moment and the look of a frame. */
export interface FrameOptions {
  columns: number;
  rows: number;
  /** Milliseconds since 1970. */
  now: number;
  colour: ChalkInstance;
  glyphs: Glyphs;
}
