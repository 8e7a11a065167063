/** From where on ids of results are used again after results were withdrawn. */
export const reusedIds = `
-- Highest id of all results just after this one was withdrawn: rows that are stored later have higher ones, whatever ids
-- were there before. Null in rows of earlier versions.
ALTER TABLE reopened ADD COLUMN highest_row INTEGER;
`;
