/** A layered drawing of dependencies: layers from left to right by the longest way, ordered to have few crossings. */

export interface LayerNode {
  id: string;
  /** Ids of what it depends on; those that are not drawn are left out. */
  dependsOn: readonly string[];
}

interface Placed {
  id: string;
  layer: number;
  /** Position within its layer, from 0. */
  row: number;
}

export interface Layout {
  nodes: readonly Placed[];
  /** From what is needed to what needs it. */
  edges: readonly (readonly [from: string, to: string])[];
  layers: number;
  /** Length of the longest layer. */
  rows: number;
}

/** Sweeps of the ordering; more of them hardly change anything. */
const SWEEPS = 4;

/**
 * The longest-path layering with Sugiyama's barycentre heuristic for the order in each layer. O(S (V log V + E)) for S
 * sweeps. Members of a cycle stand in the layer after everything that they need outside of it.
 */
export function layered(nodes: readonly LayerNode[]): Layout {
  const known = new Set(nodes.map(({ id }) => id));
  const needs = new Map(
    nodes.map(({ id, dependsOn }) => [id, dependsOn.filter((each) => known.has(each) && each !== id)]),
  );
  const edges = [...needs].flatMap(([id, needed]) => needed.map((each): [string, string] => [each, id]));
  const neededBy = new Map(nodes.map(({ id }): [string, string[]] => [id, []]));
  for (const [from, to] of edges) neededBy.get(from)?.push(to);
  const layerOf = longestPaths(needs, neededBy);
  const layers: string[][] = [];
  for (const { id } of nodes) (layers[layerOf.get(id) ?? 0] ??= []).push(id);
  const filled = Array.from(layers, (layer) => layer ?? []);
  order(filled, needs, neededBy);
  return {
    nodes: filled.flatMap((layer, index) => layer.map((id, row) => ({ id, layer: index, row }))),
    edges,
    layers: filled.length,
    rows: filled.reduce((most, { length }) => Math.max(most, length), 0),
  };
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

/** Kahn's algorithm. */
function longestPaths(needs: Neighbours, neededBy: Neighbours): Map<string, number> {
  const left = new Map([...needs].map(([id, needed]) => [id, needed.length]));
  const layerOf = new Map([...needs.keys()].map((id) => [id, 0]));
  const ready = [...left].flatMap(([id, count]) => (count === 0 ? [id] : []));
  for (const id of ready) {
    for (const next of neededBy.get(id) ?? []) {
      layerOf.set(next, Math.max(layerOf.get(next) ?? 0, (layerOf.get(id) ?? 0) + 1));
      const rest = (left.get(next) ?? 0) - 1;
      left.set(next, rest);
      if (rest === 0) ready.push(next);
    }
  }
  return layerOf;
}

function order(layers: string[][], needs: Neighbours, neededBy: Neighbours): void {
  const rowOf = new Map<string, number>();
  const number = (layer: readonly string[]): void => {
    for (const [row, id] of layer.entries()) rowOf.set(id, row);
  };
  layers.forEach(number);
  const sort = (index: number, neighbours: Neighbours): void => {
    const layer = layers[index] ?? [];
    const centre = new Map(
      layer.map((id) => [id, centreOf(neighbours.get(id) ?? [], rowOf) ?? rowOf.get(id) ?? 0]),
    );
    layers[index] = layer.toSorted((a, b) => (centre.get(a) ?? 0) - (centre.get(b) ?? 0));
    number(layers[index]);
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let index = 1; index < layers.length; index++) sort(index, needs);
    for (let index = layers.length - 2; index >= 0; index--) sort(index, neededBy);
  }
}

function centreOf(neighbours: readonly string[], rowOf: ReadonlyMap<string, number>): number | null {
  if (neighbours.length === 0) return null;
  return neighbours.reduce((sum, id) => sum + (rowOf.get(id) ?? 0), 0) / neighbours.length;
}
