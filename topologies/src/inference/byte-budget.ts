interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * Bounds the bytes in hand, first come, first served.
 *
 * Owns: the bytes lent, who waits for some. Called by: the board inspector, one budget a lane.
 * Invariants: I1 at most `bytesMax` are lent, except to a single borrower who needs more; I2 borrowers are served in order; I3
 * what was lent comes back once.
 */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #waiters: Waiter[] = [];
  #lent = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes in hand now. */
  get lentBytes(): number {
    return this.#lent;
  }

  /** Resolves with the function that gives the bytes back; rejects with the signal's reason. */
  async acquire(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#waiters.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
          reject(signal.reason);
          this.#serve();
        };
        const waiter: Waiter = {
          bytes,
          grant: () => {
            signal.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        this.#waiters.push(waiter);
      });
    } else {
      this.#lent += bytes;
    }
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      this.#lent -= bytes;
      this.#serve();
    };
  }

  #fits(bytes: number): boolean {
    return this.#lent === 0 || this.#lent + bytes <= this.#bytesMax;
  }

  #serve(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#lent += next.bytes;
      next.grant();
    }
  }
}
