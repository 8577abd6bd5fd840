/**
 * When windowed aggregations forward their results (Java's `EmitStrategy`).
 *
 * `onWindowUpdate` forwards every change. `onWindowClose` forwards each window once, after stream time has passed its
 * end by the grace period; it looks for such windows when a record comes, at most every `windowEmitIntervalMs` of wall
 * clock (a streams option), and in any case before the store forgets a window that was not emitted yet.
 */
export class EmitStrategy {
  static readonly #update = new EmitStrategy('update');
  static readonly #close = new EmitStrategy('close');
  /** `update`: every change is forwarded; `close`: each window once. */
  readonly kind: 'update' | 'close';

  private constructor(kind: 'update' | 'close') {
    this.kind = kind;
  }

  /** Forwards every change of a window: the default. */
  static onWindowUpdate(): EmitStrategy {
    return EmitStrategy.#update;
  }

  /** Forwards each window once, when it can't change any more. */
  static onWindowClose(): EmitStrategy {
    return EmitStrategy.#close;
  }
}
