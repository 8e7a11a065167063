/**
 * An output alone makes no result a noted one: where every workstream has one, what reports list would be looked for among
 * all results. Outputs are found in the index of results by run.
 */
export const notedResults = `
DROP INDEX agent_results_noted;
CREATE INDEX agent_results_noted ON agent_results (run_id)
WHERE status <> 'completed' OR attempts > 1 OR tool IS NOT NULL OR branch IS NOT NULL
  OR merge_status IS NOT NULL OR files_modified <> '[]' OR commits_created <> '[]' OR warnings <> '[]'
  OR test_results <> '{"total":0,"passed":0,"failed":0,"manual":0,"cases":null,"tests":[]}';
`;
