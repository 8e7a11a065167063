import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';

const levelsSchema = z.array(z.number().int()).min(1);
const inputSchema = z.strictObject({ files: fileSelectionSchema, gzip: levelsSchema, brotli: levelsSchema });

/** A way to compress. */
interface Codec {
  name: string;
  compress(data: Buffer): Buffer;
  decompress(data: Buffer): Buffer;
}

interface Measured {
  codec: string;
  /** Size before / size after. */
  ratio: number;
  megabytes: number;
  /** Megabytes of the original in a second. */
  compress_mb_s: number;
  decompress_mb_s: number;
}

/** Compresses the selected files, put together, at each level and compares size and speed. */
export default async function compareCompression(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const { files: selection, gzip, brotli } = inputSchema.parse(input);
  const files = selectFiles(context.workspace, selection);
  const data = Buffer.concat(files.map(({ path }) => readFileSync(join(context.workspace, path))));
  const codecs = [...gzip.map(gzipCodec), ...brotli.map(brotliCodec)];
  const checkpoint = createCheckpoint(context);
  const results: Measured[] = [];
  for (const [i, codec] of codecs.entries()) {
    context.progress(i / codecs.length, codec.name);
    results.push(measure(codec, data));
    await checkpoint((i + 1) / codecs.length, codec.name);
  }
  context.log.info({ megabytes: data.length / 1e6, codecs: codecs.length }, 'compressed');
  const best = results.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const output = {
    files: files.length,
    megabytes: round(data.length / 1e6, 2),
    smallest: `${best.codec}: ${best.ratio} to 1`,
    results,
  };
  return { output, metrics: { best_ratio: best.ratio } };
}

function gzipCodec(level: number): Codec {
  return {
    name: `gzip ${level}`,
    compress: (data) => zlib.gzipSync(data, { level }),
    decompress: (data) => zlib.gunzipSync(data),
  };
}

function brotliCodec(quality: number): Codec {
  return {
    name: `brotli ${quality}`,
    compress: (data) => {
      const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
      const params = { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_SIZE_HINT]: data.length };
      return zlib.brotliCompressSync(data, { params });
    },
    decompress: (data) => zlib.brotliDecompressSync(data),
  };
}

/** @throws Error when what comes back is not what went in. */
function measure(codec: Codec, data: Buffer): Measured {
  const start = performance.now();
  const compressed = codec.compress(data);
  const middle = performance.now();
  const restored = codec.decompress(compressed);
  const end = performance.now();
  if (!restored.equals(data)) throw new Error(`${codec.name} did not give back what it was given.`);
  const speed = (milliseconds: number): number => round(data.length / 1e3 / milliseconds, 1);
  return {
    codec: codec.name,
    ratio: round(data.length / compressed.length, 3),
    megabytes: round(compressed.length / 1e6, 3),
    compress_mb_s: speed(middle - start),
    decompress_mb_s: speed(end - middle),
  };
}
