const NAME = /^(latest(~\d+)?|ma-run-\d[\d-]*)$/;

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

/**
 * Whether a word names a run where it could as well name a workstream: it is `latest`, `latest~2`, or what the id of a run
 * begins with.
 */
export function looksLikeRun(word: string): boolean {
  return NAME.test(word);
}
