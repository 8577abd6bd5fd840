import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Circuit, InferenceError, makeResilient } from '../../src/index.ts';
import { board, FaultyEngine } from '../support/faulty-engine.ts';

const AWAY = new InferenceError('unavailable', 'no server');
/** More than all retries of a call together wait. */
const RETRIES_MS = 5_000;
const OPEN_MS = 30_000;

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  return (await Promise.allSettled([work]))[0] as PromiseSettledResult<T>;
}

describe('an engine behind deadline, retries, breaker and bulkhead', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Fails until the circuit opens. */
  async function trip(engine: FaultyEngine, resilient: ReturnType<typeof makeResilient>): Promise<void> {
    engine.fault = AWAY;
    while (resilient.circuit === 'closed') {
      const call = settled(resilient.infer([board]));
      await vi.advanceTimersByTimeAsync(RETRIES_MS);
      await call;
    }
  }

  it('repeats what may pass, with waits, and answers when it has passed', async () => {
    const engine = new FaultyEngine();
    engine.fault = AWAY;
    const call = makeResilient(engine).infer([board]);
    await vi.advanceTimersByTimeAsync(0);
    expect(engine.calls).toBe(1);
    engine.fault = undefined;
    await vi.advanceTimersByTimeAsync(RETRIES_MS);
    expect(await call).toEqual([[]]);
    expect(engine.calls).toBe(2);
  });

  it.each(['bad-input', 'bad-output', 'model-failed', 'model-not-loaded'] as const)(
    'asks once and keeps the circuit closed for %s',
    async (reason) => {
      const engine = new FaultyEngine();
      const resilient = makeResilient(engine);
      engine.fault = new InferenceError(reason, 'it is so');
      for (let call = 1; call <= 10; call += 1) {
        await expect(resilient.infer([board])).rejects.toBe(engine.fault);
        expect(engine.calls).toBe(call);
      }
      expect(resilient.circuit).toBe('closed');
    },
  );

  it('asks once, for half as long, where the caller has somebody else to ask; failures count for the same circuit', async () => {
    const engine = new FaultyEngine();
    engine.hangs = true;
    engine.deaf = true;
    const resilient = makeResilient(engine);
    const call = settled(resilient.inferOnce([board]));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(await call).toMatchObject({
      reason: { reason: 'unavailable', message: expect.stringContaining('2500 ms') },
    });
    engine.release();
    expect(await resilient.inferOnce([board])).toEqual([[]]);
    engine.fault = AWAY;
    for (let failed = 0; failed < 5; failed += 1) await expect(resilient.inferOnce([board])).rejects.toBe(AWAY);
    expect([engine.calls, resilient.circuit]).toEqual([7, 'open']);
  });

  it('gives a call five seconds, also one that does not listen, and calls that unavailable', async () => {
    for (const deaf of [false, true]) {
      const engine = new FaultyEngine();
      engine.hangs = true;
      engine.deaf = deaf;
      const call = settled(makeResilient(engine).infer([board]));
      await vi.advanceTimersByTimeAsync(4_999);
      expect(engine.calls).toBe(1);
      await vi.advanceTimersByTimeAsync(3 * 5_000 + RETRIES_MS);
      expect(await call).toMatchObject({
        status: 'rejected',
        reason: { reason: 'unavailable', retriable: true, message: expect.stringContaining('5000 ms') },
      });
      expect(engine.calls).toBe(3);
    }
  });

  it('opens after five failures in a row and asks nobody for thirty seconds', async () => {
    const engine = new FaultyEngine();
    const states: Circuit[] = [];
    const resilient = makeResilient(engine, { onCircuit: (circuit) => states.push(circuit) });
    await trip(engine, resilient);
    expect(engine.calls).toBe(5);
    expect(await resilient.ready()).toBe(false);
    await expect(resilient.infer([board])).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
    expect(engine.calls).toBe(5);
    expect(states).toEqual(['open']);
  });

  it('is not opened by failures between which something succeeded', async () => {
    const engine = new FaultyEngine();
    const resilient = makeResilient(engine);
    for (let round = 0; round < 5; round += 1) {
      engine.fault = AWAY;
      const call = settled(resilient.infer([board]));
      await vi.advanceTimersByTimeAsync(RETRIES_MS);
      await call;
      engine.fault = undefined;
      await resilient.infer([board]);
    }
    expect(resilient.circuit).toBe('closed');
  });

  it('lets those who hold work wait until a try is worth while, and closes with the first success', async () => {
    const engine = new FaultyEngine();
    const resilient = makeResilient(engine);
    await trip(engine, resilient);
    let isAvailable = false;
    const waiting = resilient.whenAvailable().then(() => {
      isAvailable = true;
    });
    await vi.advanceTimersByTimeAsync(OPEN_MS - 2 * RETRIES_MS);
    expect(isAvailable).toBe(false);
    await vi.advanceTimersByTimeAsync(2 * RETRIES_MS);
    await waiting;
    engine.fault = undefined;
    expect(await resilient.infer([board])).toEqual([[]]);
    expect(resilient.circuit).toBe('closed');
    await resilient.whenAvailable();
  });

  it('asks once, not thrice, while the circuit is half open, and opens again when that fails', async () => {
    const engine = new FaultyEngine();
    const resilient = makeResilient(engine);
    await trip(engine, resilient);
    const before = engine.calls;
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    const calls = [1, 2, 3].map(() => settled(resilient.infer([board])));
    await vi.advanceTimersByTimeAsync(RETRIES_MS);
    for (const call of calls) expect(await call).toMatchObject({ reason: { reason: 'unavailable' } });
    expect(engine.calls).toBe(before + 1);
    expect(resilient.circuit).toBe('open');
  });

  it('gives up waiting when the caller does', async () => {
    const engine = new FaultyEngine();
    const resilient = makeResilient(engine);
    await trip(engine, resilient);
    const abort = new AbortController();
    const waiting = settled(resilient.whenAvailable(abort.signal));
    abort.abort(new Error('revoked'));
    expect(await waiting).toMatchObject({ status: 'rejected', reason: { message: 'revoked' } });
  });

  it('has two calls at the engine, some waiting, and turns the others away', async () => {
    const engine = new FaultyEngine();
    engine.hangs = true;
    const resilient = makeResilient(engine, { queuedCallsMax: 3 });
    const calls = Array.from({ length: 5 }, () => resilient.infer([board]));
    const tooMany = settled(resilient.infer([board]));
    await vi.advanceTimersByTimeAsync(0);
    expect(engine.underWay).toBe(2);
    engine.release();
    expect(await Promise.all(calls)).toHaveLength(5);
    expect(engine.underWayMax).toBe(2);
    expect(await tooMany).toMatchObject({
      reason: { reason: 'unavailable', message: expect.stringContaining('too many') },
    });
    expect(resilient.circuit).toBe('closed');
  });

  it('cancels with the caller: at the engine, in the queue and between two tries, without counting it', async () => {
    const engine = new FaultyEngine();
    engine.hangs = true;
    const resilient = makeResilient(engine, { concurrentCallsMax: 1 });
    const abort = new AbortController();
    const reason = new Error('revoked');
    const atEngine = settled(resilient.infer([board], { signal: abort.signal }));
    const inQueue = settled(resilient.infer([board], { signal: abort.signal }));
    await vi.advanceTimersByTimeAsync(0);
    abort.abort(reason);
    expect(await atEngine).toMatchObject({ status: 'rejected', reason });
    expect(await inQueue).toMatchObject({ status: 'rejected', reason });
    expect(engine.calls).toBe(1);

    engine.hangs = false;
    engine.fault = AWAY;
    const between = new AbortController();
    const call = settled(resilient.infer([board], { signal: between.signal }));
    await vi.advanceTimersByTimeAsync(0);
    between.abort(reason);
    await vi.advanceTimersByTimeAsync(RETRIES_MS);
    expect(await call).toMatchObject({ status: 'rejected', reason });
    expect(engine.calls).toBe(2);
    expect(resilient.circuit).toBe('closed');
  });

  it('closes the engine', async () => {
    const engine = new FaultyEngine();
    await makeResilient(engine).close();
    expect(engine.isClosed).toBe(true);
  });
});
