import type { JsonObject } from '../domain/json.ts';
import { type WorkstreamFile, workstreamFileSchema } from '../domain/workstream-file.ts';
import { explainIssue } from './explain-issue.ts';
import type { Finding } from './finding.ts';
import { checkMatrix } from './matrix-rules.ts';
import { checkRules, oversized } from './rules.ts';
import { unknownFields } from './unknown-fields.ts';

/** A definition after every check. `definition` is null exactly when there is an error among the findings. */
export interface Checked {
  definition: WorkstreamFile | null;
  findings: Finding[];
}

/** Every problem of one definition, at once; without unknown fields when `thorough` is false. */
export function check(raw: JsonObject, thorough: boolean): Checked {
  const tooLong = oversized(raw);
  if (tooLong.length > 0) return { definition: null, findings: tooLong };
  const parsed = workstreamFileSchema.safeParse(raw);
  const findings = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, raw))),
    ...checkRules(raw),
    ...checkMatrix(raw),
    ...(thorough ? unknownFields(raw) : []),
  ];
  const sound = parsed.success && !findings.some(({ severity }) => severity === 'error');
  return { definition: sound ? parsed.data : null, findings };
}
