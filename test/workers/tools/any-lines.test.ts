/** What holds for the reader of each tool, whatever the program prints. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failureSchema } from '../../../src/domain/failure.ts';
import { BUILT_IN_TOOLS } from '../../../src/domain/tool.ts';
import { toolReportSchema } from '../../../src/domain/tool-report.ts';
import { loadAdapter } from '../../../workers/tools/registry.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { GARBAGE } from './recorded.ts';
import { NASTY, read, request } from './replay.ts';

test.each(BUILT_IN_TOOLS)('no line makes the reader of %s throw', async (tool) => {
  const adapter = await loadAdapter(tool);
  // Codex reads sessions there.
  const asked = request(tool, { env: { CODEX_HOME: temporaryFolder() } });
  const line = fc.oneof(fc.constantFrom(...NASTY, ...GARBAGE), fc.string(), fc.json());
  const exit = fc.option(fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(line), exit, (lines, exitCode) => {
      const { reader, end } = read(adapter, lines.join('\n'), { exitCode, signal: null }, asked);
      const report = { ...reader.report(), tool, version: null, durationSeconds: 1, limit: null };
      expect(toolReportSchema.safeParse(report).error).toBeUndefined();
      expect(failureSchema.nullable().safeParse(reader.judge(end)).error).toBeUndefined();
    }),
  );
});
