import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { escapeTime } from './algorithms/mandelbrot.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { encodePng } from './lib/png.ts';
import { round } from './lib/round.ts';

const inputSchema = z.strictObject({
  /** Path of the image below the workspace. */
  file: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  center: z.tuple([z.number(), z.number()]),
  /** Width of the view in the complex plane. */
  span: z.number().positive(),
  max_iterations: z.number().int().positive(),
  /** Points along each side of a pixel; more make edges smoother. */
  samples: z.number().int().positive(),
});
type View = z.infer<typeof inputSchema>;

/** Draws a part of the Mandelbrot set as a PNG image. */
export default async function drawMandelbrot(input: unknown, context: StepContext): Promise<ModuleResult> {
  const view = inputSchema.parse(input);
  const { width, height, file } = view;
  const checkpoint = createCheckpoint(context);
  const pixels = new Uint8Array(width * height * 3);
  let inside = 0;
  for (let row = 0; row < height; row += 1) {
    await checkpoint(row / height, `row ${row} of ${height}`);
    for (let column = 0; column < width; column += 1) {
      const pixel = colorPixel(view, column, row);
      inside += pixel.inside;
      pixels.set(pixel.color, (row * width + column) * 3);
    }
  }
  const image = encodePng(width, height, pixels);
  mkdirSync(dirname(join(context.workspace, file)), { recursive: true });
  writeFileSync(join(context.workspace, file), image);
  context.log.info({ file, bytes: image.length }, 'drawn');
  const points = width * height * view.samples ** 2;
  const output = {
    image: file,
    pixels: `${width} × ${height}`,
    center: `${view.center[0]} + ${view.center[1]}i`,
    magnification: round(4 / view.span, 0),
    points,
    percent_inside_the_set: round((100 * inside) / points, 2),
    kilobytes: round(image.length / 1e3, 1),
  };
  return { output, filesModified: [file] };
}

/** The mean colour of the points in a pixel, and how many of them are in the set. */
function colorPixel(
  view: View,
  column: number,
  row: number,
): { color: [number, number, number]; inside: number } {
  const { width, height, center, span, samples, max_iterations } = view;
  const step = span / width;
  const color: [number, number, number] = [0, 0, 0];
  let inside = 0;
  for (let sample = 0; sample < samples ** 2; sample += 1) {
    const x = column + ((sample % samples) + 0.5) / samples - width / 2;
    const y = row + (Math.floor(sample / samples) + 0.5) / samples - height / 2;
    const time = escapeTime(center[0] + x * step, center[1] - y * step, max_iterations);
    if (time === Infinity) inside += 1;
    else for (const [i, value] of palette(time).entries()) color[i] = (color[i] ?? 0) + value / samples ** 2;
  }
  return { color, inside };
}

/** Colours that come round smoothly, as sums of cosines: Quilez, https://iquilezles.org/articles/palettes/ */
function palette(time: number): [number, number, number] {
  const phase = 2 * Math.PI * 0.045 * Math.sqrt(time) * Math.log2(time + 2);
  const wave = (shift: number): number => 127.5 - 127.5 * Math.cos(phase + shift);
  return [wave(-0.4), wave(0), wave(0.7)];
}
