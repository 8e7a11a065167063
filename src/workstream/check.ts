import type { JsonObject } from '../domain/json.ts';
import { type WorkstreamFile, workstreamFileSchema } from '../domain/workstream-file.ts';
import { explainIssue } from './explain-issue.ts';
import type { Finding } from './finding.ts';
import { checkMatrix } from './matrix-rules.ts';
import { isPlain } from './plain.ts';
import { checkRules, oversized } from './rules.ts';
import { unknownFields } from './unknown-fields.ts';

/** A definition after every check. `definition` is null exactly when there is an error among the findings. */
export interface Checked {
  definition: WorkstreamFile | null;
  findings: Finding[];
}

/** How a definition is looked at. */
export interface Looked {
  /** False where so much is wrong already that warnings about unknown fields are of no use. */
  thorough: boolean;
  /** What its text says of it that its value does not. */
  found: readonly Finding[];
}

/** Every problem of one definition, at once. */
export function check(raw: JsonObject, looked: Looked): Checked {
  return looked.found.length === 0 && isPlain(raw)
    ? { definition: raw, findings: [] }
    : checkAll(raw, looked);
}

/** The same of a definition of any form. */
export function checkAll(raw: JsonObject, { thorough, found }: Looked): Checked {
  const tooLong = oversized(raw);
  if (tooLong.length > 0) return { definition: null, findings: tooLong };
  const parsed = workstreamFileSchema.safeParse(raw);
  const findings = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, raw))),
    ...checkRules(raw),
    ...checkMatrix(raw),
    ...found,
    ...unknownFields(raw).filter(({ severity }) => thorough || severity === 'error'),
  ];
  const sound = parsed.success && !findings.some(({ severity }) => severity === 'error');
  return { definition: sound ? parsed.data : null, findings };
}
