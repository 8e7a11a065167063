/** Why accepted work is not in the run's own branch, where tests say so. */
export const mergedTests = `
-- The workstream together with which the work breaks a test, and the name of that test; null for none.
ALTER TABLE agent_results ADD COLUMN merge_partner TEXT;
ALTER TABLE agent_results ADD COLUMN merge_test TEXT;
`;
