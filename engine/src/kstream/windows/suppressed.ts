import { TopologyError } from '../../base/errors.ts';
import type { Windowed } from '../../serde/windowed.ts';

/**
 * What happens when a buffer reaches a limit: the oldest record leaves before its time (`emit-early`), or the record
 * that found no room fails and, unless the processing exception handler lets it pass, the stream thread with it
 * (`shut-down`).
 */
export type WhenFull = 'emit-early' | 'shut-down';

/** A buffer that never lets a record go early: what {@link Suppressed.untilWindowCloses} needs to keep its promise. */
export type StrictBufferConfig = BufferConfig<'shut-down'>;

/**
 * Limits of the buffer of {@link Suppressed}: records, bytes, and what happens beyond them (Java's `BufferConfig`). A
 * value; methods answer another one. A limit that is negative or no whole number throws `TOPOLOGY`.
 */
export class BufferConfig<Full extends WhenFull = WhenFull> {
  /** Keys in the buffer; Infinity for no limit. */
  readonly recordsMax: number;
  /** Memory as Kafka Streams estimates it: keys, values and record contexts; Infinity for no limit. */
  readonly bytesMax: number;
  /** What happens beyond a limit. */
  readonly whenFull: Full;

  private constructor(recordsMax: number, bytesMax: number, whenFull: Full) {
    this.recordsMax = recordsMax;
    this.bytesMax = bytesMax;
    this.whenFull = whenFull;
  }

  /** No limit: memory may run out if too much is held back. What happens beyond a limit is `shut-down`, formally. */
  static unbounded(): BufferConfig<'shut-down'> {
    return new BufferConfig(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 'shut-down');
  }

  /**
   * At most so many keys; beyond, the oldest leave early unless {@link BufferConfig.shutDownWhenFull} says otherwise.
   */
  static maxRecords(recordsMax: number): BufferConfig<'emit-early'> {
    return new BufferConfig(limit(recordsMax, 'records'), Number.POSITIVE_INFINITY, 'emit-early');
  }

  /**
   * At most so many bytes; beyond, the oldest leave early unless {@link BufferConfig.shutDownWhenFull} says otherwise.
   */
  static maxBytes(bytesMax: number): BufferConfig<'emit-early'> {
    return new BufferConfig(Number.POSITIVE_INFINITY, limit(bytesMax, 'bytes'), 'emit-early');
  }

  /** With another limit of keys, and the limit of bytes as it is. */
  withMaxRecords(recordsMax: number): BufferConfig<Full> {
    return new BufferConfig(limit(recordsMax, 'records'), this.bytesMax, this.whenFull);
  }

  /** With another limit of bytes, and the limit of keys as it is. */
  withMaxBytes(bytesMax: number): BufferConfig<Full> {
    return new BufferConfig(this.recordsMax, limit(bytesMax, 'bytes'), this.whenFull);
  }

  /** Without limits; the result of {@link BufferConfig.unbounded}. */
  withNoBound(): BufferConfig<'shut-down'> {
    return BufferConfig.unbounded();
  }

  /** Beyond a limit the oldest records are emitted before their time. */
  emitEarlyWhenFull(): BufferConfig<'emit-early'> {
    return new BufferConfig(this.recordsMax, this.bytesMax, 'emit-early');
  }

  /**
   * Beyond a limit the record fails: the processing exception handler decides whether it is skipped or ends the thread.
   */
  shutDownWhenFull(): BufferConfig<'shut-down'> {
    return new BufferConfig(this.recordsMax, this.bytesMax, 'shut-down');
  }
}

function limit(value: number, unit: string): number {
  if ((Number.isSafeInteger(value) && value >= 0) || value === Number.POSITIVE_INFINITY) return value;
  throw new TopologyError(`A buffer's limit of ${unit} is a whole number, 0 or more, not ${value}.`);
}

/** Options of both kinds of {@link Suppressed}. */
export interface SuppressedOptions {
  /** Names the node; its buffer is the store `<name>-store`. Default: a generated name. */
  readonly name?: string | undefined;
  /** Whether the buffer has a changelog. Default: true. Without one, what is held back is lost when a task moves. */
  readonly loggingEnabled?: boolean | undefined;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig?: Readonly<Record<string, string>> | undefined;
}

/**
 * How a table's updates are held back (`KTable.suppress`), so that fewer of them, or only final results, are passed on
 * (Java's `Suppressed`). Time is stream time: the newest timestamp that reached the node. Without new records nothing
 * is emitted.
 */
export class Suppressed<in K> {
  /** How long an update waits after its buffer time, ms; undefined: until its window closes. */
  readonly waitMs: number | undefined;
  /** Limits of what may be held back. */
  readonly buffer: BufferConfig;
  /** Name and changelog of the buffer. */
  readonly options: SuppressedOptions;
  /** The time that the wait is counted from, epoch ms. */
  readonly bufferTimeMs: (key: K, timestampMs: number) => number;

  private constructor(
    waitMs: number | undefined,
    buffer: BufferConfig,
    options: SuppressedOptions,
    bufferTimeMs: (key: K, timestampMs: number) => number,
  ) {
    this.waitMs = waitMs;
    this.buffer = buffer;
    this.options = options;
    this.bufferTimeMs = bufferTimeMs;
  }

  /**
   * One result for each window, its last, when the window can't change any more: at its end plus grace (sessions: plus
   * gap, too). Windows whose result is a deletion are left out. Throws `TOPOLOGY` for a buffer that emits early.
   * @example
   * ```ts
   * orders
   *   .groupByKey()
   *   .windowedBy(TimeWindows.ofSizeAndGrace(minuteMs, 10_000))
   *   .count()
   *   .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(10_000).shutDownWhenFull(), { name: 'final' }));
   * ```
   */
  static untilWindowCloses(
    buffer: StrictBufferConfig = BufferConfig.unbounded(),
    options: SuppressedOptions = {},
  ): Suppressed<Windowed<unknown>> {
    if (buffer.whenFull !== 'shut-down') {
      throw new TopologyError(
        'untilWindowCloses promises one result a window and needs a buffer that does not emit early: use BufferConfig.unbounded() or shutDownWhenFull().',
      );
    }
    return new Suppressed(undefined, buffer, options, (key) => key.window.endMs);
  }

  /**
   * The latest update of a key, `waitMs` after the first one that was held back; deletions too. 0 or more whole ms,
   * else `TOPOLOGY`.
   * @example
   * ```ts
   * customers.suppress(Suppressed.untilTimeLimit(minuteMs, BufferConfig.maxBytes(16_000_000)));
   * ```
   */
  static untilTimeLimit(waitMs: number, buffer: BufferConfig, options: SuppressedOptions = {}): Suppressed<unknown> {
    if (!Number.isSafeInteger(waitMs) || waitMs < 0) {
      throw new TopologyError(`The time limit of a suppression is a whole number of ms, 0 or more, not ${waitMs}.`);
    }
    return new Suppressed<unknown>(waitMs, buffer, options, (_key, timestampMs) => timestampMs);
  }
}
