import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import drawMandelbrot from '../../../workstreams/tasks/mandelbrot.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('writes an image and says so', async () => {
  const workspace = temporaryFolder();
  const input = {
    file: 'reports/set.png',
    width: 30,
    height: 20,
    center: [-0.75, 0],
    span: 3,
    max_iterations: 50,
    samples: 2,
  };
  const { output, filesModified } = await drawMandelbrot(input, makeContext({ workspace }));
  const image = readFileSync(join(workspace, 'reports/set.png'));
  expect(image.readUInt32BE(16)).toBe(30);
  expect(image.readUInt32BE(20)).toBe(20);
  expect(filesModified).toEqual(['reports/set.png']);
  expect(output).toMatchObject({ image: 'reports/set.png', pixels: '30 × 20', points: 2400 });
  // The set has an area of about 1.5 and the view one of 6.
  const { percent_inside_the_set } = output as { percent_inside_the_set: number };
  expect(Math.abs(percent_inside_the_set - 25)).toBeLessThan(3);
});
