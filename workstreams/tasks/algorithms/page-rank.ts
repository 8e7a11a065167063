/** How the random walk goes on; the defaults are those of the paper. */
export interface PageRankOptions {
  /** Probability to follow a link rather than to jump anywhere. */
  damping?: number;
  /** Stops when a round changes all ranks together by less. */
  tolerance?: number;
}

/**
 * PageRank by power iteration: Brin & Page, "The anatomy of a large-scale hypertextual web search engine", 1998. A node
 * without links passes its rank on to all nodes alike.
 * @param links for each node the indices of the nodes it links to.
 * @returns the rank of each node; they add up to 1.
 */
export function pageRank(links: readonly (readonly number[])[], options: PageRankOptions = {}): Float64Array {
  const { damping = 0.85, tolerance = 1e-12 } = options;
  let ranks = new Float64Array(links.length).fill(1 / links.length);
  for (let change = Infinity; change > tolerance; ) {
    const next = walkOnce(links, ranks, damping);
    change = next.reduce((sum, rank, node) => sum + Math.abs(rank - (ranks[node] ?? 0)), 0);
    ranks = next;
  }
  return ranks;
}

function walkOnce(
  links: readonly (readonly number[])[],
  ranks: Float64Array,
  damping: number,
): Float64Array<ArrayBuffer> {
  const dangling = links.reduce((sum, to, node) => sum + (to.length === 0 ? (ranks[node] ?? 0) : 0), 0);
  const everywhere = (1 - damping + damping * dangling) / links.length;
  const next = new Float64Array(links.length).fill(everywhere);
  for (const [node, to] of links.entries()) {
    const share = (damping * (ranks[node] ?? 0)) / to.length;
    for (const target of to) next[target] = (next[target] ?? 0) + share;
  }
  return next;
}
