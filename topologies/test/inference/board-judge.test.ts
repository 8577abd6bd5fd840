import type { Detector, DetectorVersion, InferenceResults } from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import { describe, expect, it } from 'vitest';
import { type JudgeItem, judgeBatch } from '../../src/inference/board-judge.ts';
import { InferenceFailedError } from '../../src/inference/inference-failure.ts';

const MINUTE_MS = 60_000;
const away = Object.assign(new Error('away'), { code: 'INFERENCE_FAILED', reason: 'unavailable', retriable: true });

/** Time that passes by waiting. Timers above the longest backoff (deadlines of calls) never fire. */
function jumpingClock(): Clock & { nowMs(): number; pass(ms: number): void } {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
    setTimer: (delayMs: number, callback: () => void) => {
      if (delayMs <= 5_000) {
        queueMicrotask(() => {
          nowMs += delayMs;
          callback();
        });
      }
      return { cancel: () => {} };
    },
  } as unknown as Clock & { nowMs(): number; pass(ms: number): void };
}

const item = (inspectionId: string): JudgeItem => ({
  jobId: `job-${inspectionId}`,
  inspectionId,
  input: { board: new Uint8Array(1), golden: undefined },
  confidenceThreshold: null,
});

function version(modelVersion: string, verdictThreshold: number, confidence: number): DetectorVersion {
  return {
    modelName: 'pcb_defect_detector',
    modelVersion,
    maxBatchSize: 32,
    verdictThreshold,
    infer: async (batch) =>
      batch.map(() => [
        { x1: 0, y1: 0, x2: 1, y2: 1, confidence, label: 'open', defectType: 'open', severity: 'critical' },
      ]),
  };
}

/** A detector of one version. */
const only = (version: DetectorVersion): Detector => ({ modelName: version.modelName, route: () => version });

describe('judging a batch', () => {
  it('keeps what the classifier says beside each defect; what the detector said stays', async () => {
    const secondOpinion = { label: 'background', defectType: null, probability: 0.97, disagrees: true };
    const one = version('1', 0.5, 0.6);
    const doubted: DetectorVersion = {
      ...one,
      infer: async (...call) =>
        (await one.infer(...call)).map((found) => found.map((each) => ({ ...each, secondOpinion }))),
    };
    const judge = async (detector: Detector) => {
      const [judged] = await judgeBatch([item('a')], new AbortController().signal, { detector, clock: jumpingClock() });
      return judged as InferenceResults;
    };
    const [bare, found] = [await judge(only(one)), await judge(only(doubted))];
    expect(bare.defects).toMatchObject([{ severity: 'critical', second_opinion: null }]);
    expect(found.defects).toMatchObject([
      { second_opinion: { label: 'background', defect_type: null, probability: 0.97, disagrees: true } },
    ]);
    expect({ ...found, defects: found.defects.map((defect) => ({ ...defect, second_opinion: null })) }).toEqual(bare);
  });

  it('parts it between versions, each with its own threshold, and answers in the order of the boards', async () => {
    const one = version('1', 0.5, 0.6);
    const two = version('2', 0.7, 0.6);
    const detector: Detector = { ...only(one), route: (id) => (id.startsWith('b') ? two : one) };
    const items = ['b1', 'a1', 'b2', 'a2', 'a3'].map(item);
    const judged = await judgeBatch(items, new AbortController().signal, { detector, clock: jumpingClock() });
    expect(judged).toMatchObject([
      { model_version: '2', confidence_threshold: 0.7, defects_detected: 0, batch_size: 2 },
      { model_version: '1', confidence_threshold: 0.5, defects_detected: 1, batch_size: 3 },
      { model_version: '2', defects_detected: 0 },
      { model_version: '1', defects_detected: 1 },
      { model_version: '1', defects_detected: 1 },
    ]);
  });

  it('asks for a route again with every try: the version may have been replaced', async () => {
    const two = version('2', 0.5, 0.9);
    let isReplaced = false;
    const old: DetectorVersion = {
      ...version('1', 0.5, 0.9),
      infer: async () => {
        isReplaced = true;
        throw away;
      },
    };
    const detector: Detector = { ...only(two), route: () => (isReplaced ? two : old) };
    const [judged] = await judgeBatch([item('a')], new AbortController().signal, { detector, clock: jumpingClock() });
    expect(judged).toMatchObject({ model_version: '2' });
  });

  it('asks the version that one on trial stands in for when that one fails, and records who answered', async () => {
    const production = version('1', 0.5, 0.6);
    for (const reason of ['bad-input', 'bad-output', 'model-failed', 'model-not-loaded', 'unavailable']) {
      const failed = Object.assign(new Error(reason), { code: 'INFERENCE_FAILED', reason, retriable: false });
      const onTrial = { ...version('2', 0.7, 0.9), infer: () => Promise.reject(failed), fallback: production };
      const detector: Detector = { ...only(production), route: (id) => (id === 'b' ? onTrial : production) };
      const clock = jumpingClock();
      const judged = await judgeBatch([item('b'), item('b')], new AbortController().signal, { detector, clock });
      expect(judged).toMatchObject([
        { model_version: '1', confidence_threshold: 0.5, defects_detected: 1, batch_size: 2 },
        { model_version: '1' },
      ]);
      expect(clock.nowMs()).toBe(0);
    }
  });

  it('fails a board that both refuse, and judges its neighbours', async () => {
    const refused = Object.assign(new Error('no'), { code: 'INFERENCE_FAILED', reason: 'bad-input', retriable: false });
    const picky = (one: DetectorVersion): DetectorVersion => ({
      ...one,
      infer: (batch) => (batch.some(({ board }) => board[0] === 13) ? Promise.reject(refused) : one.infer(batch)),
    });
    const onTrial = { ...picky(version('2', 0.7, 0.9)), fallback: picky(version('1', 0.5, 0.9)) };
    const detector = only(onTrial);
    const bad = { ...item('bad'), input: { board: Uint8Array.of(13), golden: undefined } };
    const judged = await judgeBatch([item('a'), bad], new AbortController().signal, {
      detector,
      clock: jumpingClock(),
    });
    expect(judged[0]).toMatchObject({ model_version: '2' });
    expect(judged[1]).toMatchObject({ failure: { reason: 'inference_failed:bad-input' } });
  });

  it('waits for a detector that says it is away, longer than its deadline, and loses nothing', async () => {
    const clock = jumpingClock();
    const good = version('1', 0.5, 0.9);
    const backAtMs = 20 * MINUTE_MS;
    const detector: Detector = {
      ...only({
        ...good,
        infer: (batch) => (clock.nowMs() < backAtMs ? Promise.reject(away) : good.infer(batch)),
      }),
      whenAvailable: async () => {
        if (clock.nowMs() < backAtMs) clock.pass(30_000);
      },
    };
    const judged = await judgeBatch([item('a'), item('b')], new AbortController().signal, { detector, clock });
    expect(judged).toMatchObject([{ defects_detected: 1 }, { defects_detected: 1 }]);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(backAtMs);
  });

  it('gives up after the deadline when the detector takes calls and fails them, and after an hour in any case', async () => {
    for (const [waitMs, atLeastMs, atMostMs] of [
      [0, 0, MINUTE_MS],
      [30_000, 60 * MINUTE_MS, 62 * MINUTE_MS],
    ] as const) {
      const clock = jumpingClock();
      const detector: Detector = {
        ...only({ ...version('1', 0.5, 0.9), infer: () => Promise.reject(away) }),
        whenAvailable: async () => clock.pass(waitMs),
      };
      const [judged] = await judgeBatch([item('a')], new AbortController().signal, { detector, clock });
      expect(judged).toBeInstanceOf(InferenceFailedError);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(atLeastMs);
      expect(clock.nowMs()).toBeLessThanOrEqual(atMostMs);
    }
  });

  it('stops waiting when its partition is revoked', async () => {
    const revoked = new AbortController();
    const detector: Detector = {
      ...only({ ...version('1', 0.5, 0.9), infer: () => Promise.reject(away) }),
      whenAvailable: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    };
    const judging = judgeBatch([item('a')], revoked.signal, { detector, clock: jumpingClock() });
    setImmediate(() => revoked.abort(new Error('revoked')));
    await expect(judging).rejects.toThrow('revoked');
  });
});
