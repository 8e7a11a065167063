/** How a process ended that was not to end yet. One of the two is null. */
export interface Death {
  exitCode: number | null;
  signal: string | null;
}

/** Ends the sentence "The process …". */
export function describeDeath({ exitCode, signal }: Death): string {
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}
