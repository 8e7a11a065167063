/**
 * Why a workstream, and each attempt at one, did not complete: the failure as JSON, from which `reason` and
 * `explanation` were made. Null for one that completed, and in rows that were written before.
 */
export const failures = `
ALTER TABLE agent_results ADD COLUMN failure TEXT;
ALTER TABLE workstream_attempts ADD COLUMN failure TEXT;
`;
