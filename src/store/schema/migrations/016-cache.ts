/**
 * Results that were taken over from earlier runs. Few runs have any, and how many is asked of each run that is listed.
 */
export const cache = `
ALTER TABLE agent_results ADD COLUMN from_run TEXT;
ALTER TABLE agent_results ADD COLUMN saved_seconds REAL;
CREATE INDEX agent_results_taken_over ON agent_results (run_id) WHERE from_run IS NOT NULL;
`;
