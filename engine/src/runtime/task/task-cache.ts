import type { StreamsConfig } from '../../base/config.ts';
import type { Headers } from '../../processor/headers.ts';
import type { RecordMetadata } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import { saveState } from '../../processor/reused.ts';
import type { CacheOrigin, RecordCacheContext } from '../../state/cache/cache-origin.ts';
import { ThreadCache } from '../../state/cache/thread-cache.ts';
import type { RecordContext } from './record-context.ts';

/** The cache of one stream thread; undefined where the configuration wants none: then no store caches. */
export function newThreadCache(config: StreamsConfig): ThreadCache | undefined {
  const { statestoreCacheMaxBytes, numStreamThreads } = config;
  if (statestoreCacheMaxBytes === 0) return undefined;
  return new ThreadCache(Math.floor(statestoreCacheMaxBytes / numStreamThreads));
}

/** What is being processed: set by the task, changed and restored around what a cache lets go of. */
export interface ProcessingFrame {
  /** The input record; undefined in punctuators and commits. */
  context: RecordContext | undefined;
  /** Where a kept record came from, while it is forwarded. */
  origin: RecordMetadata | undefined;
  /** Time of the record being processed, epoch ms. */
  timestampMs: number;
  /** The record that the running node was given. */
  record: Record<unknown, unknown> | undefined;
  /** Records that nodes are forwarding, outermost first. */
  readonly openRecords: readonly Record<unknown, unknown>[] | undefined;
  /** False between records: reads from outside cache nothing. */
  readonly isProcessing: boolean;
}

/** The part of it that changes around what a cache lets go of. */
type OuterFrame = Pick<ProcessingFrame, 'context' | 'origin' | 'timestampMs' | 'record'>;

/** A frame that may be kept: its input record's bytes are not the batch's. */
class KeptOrigin implements CacheOrigin {
  readonly context: RecordContext | undefined;
  readonly origin: RecordMetadata | undefined;
  readonly timestampMs: number;
  readonly headers: Headers | undefined;

  constructor(frame: ProcessingFrame, context: RecordContext | undefined) {
    this.context = context;
    this.origin = frame.origin;
    this.timestampMs = frame.timestampMs;
    this.headers = frame.record?.hasHeaders === true ? frame.record.headers : undefined;
  }

  get topic(): string {
    return this.origin?.topic ?? this.context?.topic ?? '';
  }
}

/**
 * Lets the caching stores of a task keep the record that a value came from, and go back to it when the value leaves the cache.
 *
 * Owns: the last kept copy of an input record's context, shared by what that record put.
 * Called by: caching stores. Invariants: I1 `enter` and `leave` come in pairs, the inner pair first.
 */
export class TaskCache implements RecordCacheContext {
  readonly thread: ThreadCache;
  readonly #frame: ProcessingFrame;
  readonly #copy: (context: RecordContext) => RecordContext;
  #copied: RecordContext | undefined;
  #entered = 0;

  /** `copy` answers a context that outlives the record. */
  constructor(thread: ThreadCache, frame: ProcessingFrame, copy: (context: RecordContext) => RecordContext) {
    this.thread = thread;
    this.#frame = frame;
    this.#copy = copy;
  }

  origin(): CacheOrigin {
    const { context } = this.#frame;
    return new KeptOrigin(this.#frame, context === undefined ? undefined : this.#kept(context));
  }

  get isProcessing(): boolean {
    return this.#entered > 0 || this.#frame.isProcessing;
  }

  saveRecords(): () => void {
    const restores = (this.#frame.openRecords ?? []).map((record) => record[saveState]());
    return () => {
      for (const restore of restores) restore();
    };
  }

  enter(origin: CacheOrigin): OuterFrame {
    this.#entered += 1;
    const frame = this.#frame;
    const outer: OuterFrame = {
      context: frame.context,
      origin: frame.origin,
      timestampMs: frame.timestampMs,
      record: frame.record,
    };
    const kept = origin as KeptOrigin;
    frame.context = kept.context;
    frame.origin = kept.origin;
    frame.timestampMs = kept.timestampMs;
    frame.record = undefined;
    return outer;
  }

  leave(outer: unknown): void {
    this.#entered -= 1;
    const frame = this.#frame;
    const { context, origin, timestampMs, record } = outer as OuterFrame;
    frame.context = context;
    frame.origin = origin;
    frame.timestampMs = timestampMs;
    frame.record = record;
  }

  #kept(context: RecordContext): RecordContext {
    const known = this.#copied;
    if (known !== undefined && (known === context || isOf(known, context))) return known;
    this.#copied = this.#copy(context);
    return this.#copied;
  }
}

function isOf(copy: RecordContext, context: RecordContext): boolean {
  return copy.offset === context.offset && copy.partition === context.partition && copy.topic === context.topic;
}
