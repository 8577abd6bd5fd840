/** An element in the tree. */
interface TreeNode<T> {
  readonly value: T;
  red: boolean;
  parent: TreeNode<T> | undefined;
  left: TreeNode<T> | undefined;
  right: TreeNode<T> | undefined;
}

/**
 * A sorted list kept as a red-black tree, as Java's `TreeSet` keeps it. When the order of elements changes after they were
 * inserted, as it does while Kafka Streams describes a topology, what comes out depends on the shape of the tree; so the
 * shape is the same.
 *
 * Owns: the tree.
 * Called by: `describeSubTopology`.
 * Invariants: I1 insertion balances by the textbook rules for red-black trees.
 */
export class RedBlackList<T> {
  readonly #compare: (a: T, b: T) => number;
  #root: TreeNode<T> | undefined;

  /** `compare` orders the elements; equal ones are kept once. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** Does nothing where an equal element is met. */
  insert(value: T): void {
    let parent: TreeNode<T> | undefined;
    let next = this.#root;
    let order = 0;
    while (next !== undefined) {
      parent = next;
      order = this.#compare(value, next.value);
      if (order === 0) return;
      next = order < 0 ? next.left : next.right;
    }
    const node: TreeNode<T> = { value, red: true, parent, left: undefined, right: undefined };
    if (parent === undefined) this.#root = node;
    else if (order < 0) parent.left = node;
    else parent.right = node;
    this.#balance(node);
  }

  /** The elements in order. */
  toArray(): T[] {
    const values: T[] = [];
    const visit = (node: TreeNode<T> | undefined): void => {
      if (node === undefined) return;
      visit(node.left);
      values.push(node.value);
      visit(node.right);
    };
    visit(this.#root);
    return values;
  }

  #balance(inserted: TreeNode<T>): void {
    let node = inserted;
    for (;;) {
      const parent = node.parent;
      const grandparent = parent?.parent;
      if (parent === undefined || !parent.red || grandparent === undefined) break;
      const parentIsLeft = grandparent.left === parent;
      const uncle = parentIsLeft ? grandparent.right : grandparent.left;
      if (uncle?.red) {
        parent.red = false;
        uncle.red = false;
        grandparent.red = true;
        node = grandparent;
        continue;
      }
      const isInner = parentIsLeft ? parent.right === node : parent.left === node;
      let top = parent;
      if (isInner) {
        this.#rotate(parent, parentIsLeft);
        top = node;
      }
      top.red = false;
      grandparent.red = true;
      this.#rotate(grandparent, !parentIsLeft);
      break;
    }
    (this.#root as TreeNode<T>).red = false;
  }

  /** Puts a child in the place of `node`, which goes down to the left or to the right. */
  #rotate(node: TreeNode<T>, toLeft: boolean): void {
    const child = (toLeft ? node.right : node.left) as TreeNode<T>;
    const inner = toLeft ? child.left : child.right;
    if (toLeft) node.right = inner;
    else node.left = inner;
    if (inner !== undefined) inner.parent = node;
    child.parent = node.parent;
    if (node.parent === undefined) this.#root = child;
    else if (node.parent.left === node) node.parent.left = child;
    else node.parent.right = child;
    if (toLeft) child.left = node;
    else child.right = node;
    node.parent = child;
  }
}
