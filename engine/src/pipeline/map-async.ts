import { TopologyError } from '../base/errors.ts';
import type { AsyncItem, MapAsyncOptions } from '../processor/async-operator.ts';
import type { Record } from '../processor/record.ts';
import { type AsyncDeps, AsyncOperatorProcessor, type HeldItem } from './async-operator-processor.ts';
import { guardedCall } from './guarded-call.ts';

/**
 * Unreleased results a node may pile up per call slot while an earlier one is slow. Enough to keep the slots busy behind
 * a call four times slower than the rest; bounded, since each holds its record.
 */
const BACKLOG_PER_SLOT = 4;

interface Call {
  readonly item: HeldItem;
  readonly lane: string | undefined;
  done: boolean;
  failed: boolean;
  result: unknown;
}

/**
 * `mapAsync`: one call a record, `concurrency` at once.
 *
 * Owns: calls waiting, running and finished out of turn. Called by: StreamTask.
 * Invariants: those of AsyncOperatorProcessor; I4 with `ordered: 'all'` results leave in input order, with `'key'` in input order of each
 * key; I5 at most `concurrency` user calls run.
 */
export class MapAsync extends AsyncOperatorProcessor {
  readonly #map: (item: AsyncItem<unknown, unknown>) => Promise<unknown>;
  readonly #options: MapAsyncOptions;
  readonly #waiting: Call[] = [];
  /** Unreleased calls by lane; one lane for `'all'`, one a key for `'key'`, none for `'none'`. */
  readonly #lanes = new Map<string, Call[]>();
  #finished: Call[] = [];
  #running = 0;
  #unreleased = 0;

  constructor(map: (item: AsyncItem<unknown, unknown>) => Promise<unknown>, options: MapAsyncOptions, deps: AsyncDeps) {
    super(deps);
    if (!(Number.isInteger(options.concurrency) && options.concurrency >= 1)) {
      throw new TopologyError(`mapAsync ${deps.nodeName}: concurrency is ${options.concurrency}; give 1 or more`);
    }
    this.#map = map;
    this.#options = options;
  }

  get isSaturated(): boolean {
    const { concurrency } = this.#options;
    return (
      this.#waiting.length > 0 || this.#unreleased >= concurrency * BACKLOG_PER_SLOT || this.#isBlocked(concurrency)
    );
  }

  /** Unordered results leave at once, so nothing is gained by taking more than can run. */
  #isBlocked(concurrency: number): boolean {
    return this.#running >= concurrency;
  }

  get pending(): number {
    return this.#unreleased;
  }

  process(record: Record<unknown, unknown>): void {
    const item = this.takeIn(record);
    const call: Call = { item, lane: this.#laneOf(item), done: false, failed: false, result: undefined };
    this.#unreleased += 1;
    if (call.lane !== undefined) {
      const lane = this.#lanes.get(call.lane);
      if (lane === undefined) this.#lanes.set(call.lane, [call]);
      else lane.push(call);
    }
    this.#waiting.push(call);
    this.#startWaiting();
  }

  /** Calls start as soon as there is a slot; nothing waits to fill up. */
  flush(): void {}

  override cancel(): void {
    super.cancel();
    this.#waiting.length = 0;
    this.#lanes.clear();
    this.#finished = [];
    this.#unreleased = 0;
  }

  #laneOf(item: HeldItem): string | undefined {
    const ordered = this.#options.ordered ?? 'all';
    if (ordered === 'none') return undefined;
    return ordered === 'all' ? '' : keyLane(item.key);
  }

  #startWaiting(): void {
    while (this.#running < this.#options.concurrency) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      this.#start(call);
    }
  }

  #start(call: Call): void {
    this.#running += 1;
    const { clock, random, nodeName } = this.deps;
    const { timeoutMs, retry } = this.#options;
    guardedCall((signal) => this.#map(this.asItem(call.item, signal)), {
      clock,
      random,
      what: `A call of mapAsync ${nodeName}`,
      timeoutMs,
      retry,
      signal: this.abort.signal,
      onRunning: this.countRunning,
    }).then(
      (result) => this.#settled(call, false, result),
      (error: unknown) => this.#settled(call, true, error),
    );
  }

  #settled(call: Call, failed: boolean, result: unknown): void {
    this.#running -= 1;
    if (this.isCancelled) return;
    call.done = true;
    call.failed = failed;
    call.result = result;
    this.#finished.push(call);
    this.requestDrain();
    this.#startWaiting();
  }

  protected drain(): void {
    const finished = this.#finished;
    this.#finished = [];
    for (const call of finished) {
      if (call.lane === undefined) this.#giveBack(call);
      else this.#drainLane(call.lane);
    }
  }

  #drainLane(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    while (lane[0]?.done === true) this.#giveBack(lane.shift() as Call);
    if (lane.length === 0) this.#lanes.delete(name);
  }

  #giveBack(call: Call): void {
    this.#unreleased -= 1;
    if (call.failed) this.fail(call.item, call.result);
    else this.release(call.item, call.result);
  }
}

/** Equal keys share a lane; different keys may, at worst, share one too. */
function keyLane(key: unknown): string {
  if (typeof key === 'string') return key;
  if (Buffer.isBuffer(key)) return key.toString('latin1');
  return typeof key === 'object'
    ? JSON.stringify(key, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner))
    : String(key);
}
