/**
 * The edges of one node of the logical graph, in the order in which they were made.
 *
 * Called by: the graph and its optimiser, which move nodes.
 * Invariants: I1 an edge is in both its nodes' links; I2 there is at most one edge between two nodes.
 */
export class GraphLinks<N extends { readonly links: GraphLinks<N> }> {
  readonly #owner: N;
  readonly #parents = new Set<N>();
  readonly #children = new Set<N>();
  /** Place in the order in which nodes are written: that of creation unless the optimiser changed it. */
  priority = 0;

  /** Makes the edges from the parents to `owner`. */
  constructor(owner: N, parents: readonly N[]) {
    this.#owner = owner;
    for (const parent of parents) {
      this.#parents.add(parent);
      parent.links.#children.add(owner);
    }
  }

  /** The nodes whose records come here, in the order in which the edges were made. */
  get parents(): ReadonlySet<N> {
    return this.#parents;
  }

  /** The nodes that take this one's records, in the order in which the edges were made. */
  get children(): ReadonlySet<N> {
    return this.#children;
  }

  /** Makes an edge; one that is there stays where it is in the order. */
  addChild(child: N): void {
    this.#children.add(child);
    child.links.#parents.add(this.#owner);
  }

  /** Takes an edge away, if there is one. */
  removeChild(child: N): void {
    this.#children.delete(child);
    child.links.#parents.delete(this.#owner);
  }

  /** What undoes everything that happens to these links from now on. */
  keep(): () => void {
    const [parents, children, priority] = [[...this.#parents], [...this.#children], this.priority];
    return () => {
      refill(this.#parents, parents);
      refill(this.#children, children);
      this.priority = priority;
    };
  }
}

function refill<T>(set: Set<T>, values: readonly T[]): void {
  set.clear();
  for (const value of values) set.add(value);
}
