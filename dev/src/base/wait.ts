/** Waits by the real clock: the local stack is a set of real processes. */
export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

const POLL_MS = 100;

/**
 * Asks again and again until `probe` answers true. Probe errors count as "not yet"; the last one is the
 * reason in the error that ends the waiting after `timeoutMs`. `abort` may end it earlier by throwing.
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  probe: () => Promise<boolean> | boolean,
  abort?: () => void,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    abort?.();
    try {
      if (await probe()) return;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not ready after ${Math.round(timeoutMs / 1000)} s`, { cause: lastError });
    }
    await sleep(POLL_MS);
  }
}
