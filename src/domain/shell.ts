/** The shells that a line may be run by. */
export const SHELLS = ['sh', 'bash'] as const;

export type Shell = (typeof SHELLS)[number];
