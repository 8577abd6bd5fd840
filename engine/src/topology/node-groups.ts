/** Union–find over node names: what is connected by edges or by a shared store runs in one sub-topology. */
export class NodeGroups {
  readonly #parents = new Map<string, string>();

  /** Makes a group of one node, unless the node is in a group. */
  add(name: string): void {
    if (!this.#parents.has(name)) this.#parents.set(name, name);
  }

  /** Puts the node's group and those of the others together. */
  unite(name: string, others: Iterable<string>): void {
    this.add(name);
    for (const other of others) {
      this.add(other);
      this.#parents.set(this.root(other), this.root(name));
    }
  }

  /** The node that stands for the group; two nodes are connected where it is one. */
  root(name: string): string {
    let current = name;
    for (;;) {
      const parent = this.#parents.get(current) ?? current;
      if (parent === current) return current;
      current = parent;
    }
  }

  /** Groups in the order in which their first nodes were added, which numbers the sub-topologies as Kafka Streams 4 does. */
  groups(names: Iterable<string>): string[][] {
    const byRoot = new Map<string, string[]>();
    for (const name of names) {
      const root = this.root(name);
      const group = byRoot.get(root);
      if (group === undefined) byRoot.set(root, [name]);
      else group.push(name);
    }
    return [...byRoot.values()];
  }
}

/** `String.compareTo` */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
