/** Which attempt at a workstream is being executed: while it is, nothing else says so. */
export const attemptsInHand = `
-- From 1; null in rows of earlier versions.
ALTER TABLE workstreams_in_hand ADD COLUMN attempt INTEGER;
`;
