import BTreeModule from 'sorted-btree';
import type { BinaryKey } from '../base/bytes.ts';

// The package is CommonJS with a `default` member of its own; Node hands over the whole module object.
const BTree = ((BTreeModule as unknown as { default?: unknown }).default ?? BTreeModule) as typeof BTreeModule.default;
type KeyTree = InstanceType<typeof BTree<BinaryKey, undefined>>;

/** Above this many queued changes (and above the number of keys) building anew is cheaper than catching up. */
const QUEUED_CHANGES_MIN = 4_096;
/** Measured best between 64 and 256 for string keys. */
const TREE_NODE_SIZE_MAX = 128;

function compareKeys(a: BinaryKey, b: BinaryKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The sorted order of a map's keys, kept only as far as ranges ask for it: a tree costs ten times a map, and most stores
 * are never ranged over.
 *
 * Owns: the tree and the queue of keys whose presence may have changed since the tree was last brought up to date.
 * Called by: the stores, on every key that appears or disappears, and on every range.
 * Invariants: I1 after `catchUp` the tree holds exactly the keys that `has` confirms; I2 an iterator handed out sees the keys
 * of the moment it was made, whatever changes later; I3 the queue never outgrows the key set by more than a constant; I4 a tree
 * that is built in parts lacks only keys that are not read yet or queued.
 */
export class SortedKeys {
  #tree: KeyTree | undefined;
  #changed: BinaryKey[] = [];
  /** Of a tree that `prepare` builds: the keys that are not in it yet. A map's iterator follows what the map does. */
  #unread: Iterator<BinaryKey> | undefined;
  #openScans = 0;

  /** A key was added or removed. Costs nothing until the first range. */
  noteChange(key: BinaryKey, keyCount: number): void {
    if (this.#tree === undefined) return;
    this.#changed.push(key);
    if (this.#changed.length > QUEUED_CHANGES_MIN + keyCount) this.clear();
  }

  /** Forgets the order: the next scan builds it from the map. Scans under way go on. */
  clear(): void {
    this.#tree = undefined;
    this.#changed = [];
    this.#unread = undefined;
  }

  /**
   * Does up to `steps` parts of what the next scan would do first, for whoever may not hold up others as long as all of it
   * takes. True when so much is left of it at most.
   */
  prepare(source: ReadonlyMap<BinaryKey, unknown>, steps: number): boolean {
    if (this.#tree === undefined) {
      if (source.size <= steps) return true;
      this.#tree = newTree();
      this.#unread = source.keys();
    }
    this.#advance(this.#tree, source, steps);
    return this.#unread === undefined && this.#changed.length <= steps;
  }

  /** Keys from `from` on (forward) or from it down (reverse); undefined means from the end. The scan must be ended by `endScan`. */
  scan(
    source: ReadonlyMap<BinaryKey, unknown>,
    from: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
  ): Iterator<readonly [BinaryKey, undefined]> {
    const tree = this.#catchUp(source);
    this.#openScans += 1;
    const reused: BinaryKey[] = [];
    return (direction === 'forward' ? tree.entries(from, reused) : tree.entriesReversed(from, reused)) as Iterator<
      readonly [BinaryKey, undefined]
    >;
  }

  /** Ends one scan: without it every change from then on copies tree nodes. */
  endScan(): void {
    this.#openScans -= 1;
  }

  #catchUp(source: ReadonlyMap<BinaryKey, unknown>): KeyTree {
    let tree = this.#tree;
    if (tree === undefined) {
      tree = newTree();
      for (const key of [...source.keys()].sort(compareKeys)) tree.set(key, undefined);
      this.#tree = tree;
      this.#changed = [];
      return tree;
    }
    this.#advance(tree, source, Number.POSITIVE_INFINITY);
    return this.#tree as KeyTree;
  }

  #advance(tree: KeyTree, source: ReadonlyMap<BinaryKey, unknown>, steps: number): void {
    if (this.#unread === undefined && this.#changed.length === 0) return;
    let target = tree;
    if (this.#openScans > 0) {
      // Open scans keep the old nodes (I2): cloning is O(1), and changed nodes are copied.
      target = tree.clone();
      this.#tree = target;
    }
    let left = steps;
    for (; left > 0 && this.#unread !== undefined; left -= 1) {
      const step = this.#unread.next();
      if (step.done === true) this.#unread = undefined;
      else target.set(step.value, undefined);
    }
    // Any order will do: what counts is whether the key is there now.
    for (; left > 0 && this.#changed.length > 0; left -= 1) {
      const key = this.#changed.pop() as BinaryKey;
      if (source.has(key)) target.set(key, undefined);
      else target.delete(key);
    }
  }
}

function newTree(): KeyTree {
  return new BTree<BinaryKey, undefined>(undefined, compareKeys, TREE_NODE_SIZE_MAX);
}
