/** The end of a process: how it exited, or why it was never started. */
export type End = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };
