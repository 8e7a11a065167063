/** What a workstream reserved of processors and memory, and what it used, as JSON; null where it reserved nothing. */
export const usage = `
ALTER TABLE agent_results ADD COLUMN usage TEXT;
CREATE INDEX agent_results_usage ON agent_results (run_id) WHERE usage IS NOT NULL;
`;
