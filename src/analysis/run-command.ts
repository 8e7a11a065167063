/** Most workstreams that are named in one sentence or command. */
const NAMED = 10;

/**
 * The command that runs these workstreams again, in backticks; null when they are too many to name or one has an id
 * that is not selected by its plain name.
 */
function runCommand(ids: readonly string[], total = ids.length): string | null {
  const named = [...new Set(ids)];
  if (named.length === 0 || total > ids.length || named.length > NAMED) return null;
  return named.every((id) => /^[a-z0-9][a-z0-9-]*$/.test(id)) ? `\`millrace run ${named.join(' ')}\`` : null;
}

/** The command that runs these again, by their names or, where that is not possible, as what failed in the run. */
export function againCommand(ids: readonly string[], runId: string, total = ids.length): string {
  return runCommand(ids, total) ?? `\`millrace run --retry-failed ${runId}\``;
}

/** "`a`, `b` and 3 more" */
export function nameSome(ids: readonly string[], total = ids.length): string {
  const named = ids.slice(0, 5).map((id) => `\`${id.replaceAll('`', "'")}\``);
  const left = total - named.length;
  return left > 0 ? `${named.join(', ')} and ${left} more` : named.join(', ');
}
