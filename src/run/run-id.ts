const PATTERN = /^ma-run-\d{8}-\d{6}(-\d+)?$/;

/** `ma-run-YYYYMMDD-HHMMSS` in UTC. */
export function makeRunId(time: Date): string {
  const digits = time.toISOString().replaceAll(/\D/g, '');
  return `ma-run-${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}

/** The id itself, or with `-2`, `-3` … the first that is not taken. */
export function firstFreeRunId(id: string, isTaken: (id: string) => boolean): string {
  if (!isTaken(id)) return id;
  let number = 2;
  while (isTaken(`${id}-${number}`)) number += 1;
  return `${id}-${number}`;
}

/** Whether a text looks like the id of a run. */
export function isRunId(text: string): boolean {
  return PATTERN.test(text);
}
