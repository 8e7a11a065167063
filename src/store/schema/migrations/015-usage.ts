/** What a workstream reserved of processors and memory, and what it used, as JSON; null where it reserved nothing. */
export const usage = `
ALTER TABLE agent_results ADD COLUMN usage TEXT;
`;
