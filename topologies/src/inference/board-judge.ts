import {
  type Defect,
  type Detection,
  type Detector,
  type DetectorInput,
  type DetectorVersion,
  derivedId,
  ERROR_CODES,
  type InferenceResults,
} from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import type { ExpectedVerdict } from './expected-verdict.ts';
import { failureOf, InferenceFailedError, isOutage } from './inference-failure.ts';
import { type InferenceMetrics, noInferenceMetrics } from './inference-metrics.ts';
import { retryOutage } from './retry-outage.ts';

/** How long an inference server may be away before inferences fail. */
export const DETECTOR_DEADLINE_MS = 60_000;
/** One call: a full batch takes a second on one core. A detector that hangs must not hold the boards behind it for ever. */
export const DETECTOR_CALL_TIMEOUT_MS = 20_000;

/** A board that is ready to be judged. */
export interface JudgeItem {
  readonly jobId: string;
  /** Chooses the detector's version. */
  readonly inspectionId: string;
  readonly input: DetectorInput;
  /** Null: the model's own. */
  readonly confidenceThreshold: number | null;
  /** Undefined: nobody knows. */
  readonly expectedVerdict?: ExpectedVerdict | undefined;
}

/** What became of a board. */
export type Judgement = InferenceResults | InferenceFailedError;

/** Who judges, and how patiently. */
export interface JudgeOptions {
  readonly detector: Detector;
  readonly clock: Clock;
  readonly metrics?: InferenceMetrics;
  readonly deadlineMs?: number;
}

function defectsOf(jobId: string, detections: readonly Detection[]): Defect[] {
  return detections.map((detection, index) => ({
    id: derivedId(jobId, index),
    defect_type: detection.defectType,
    label: detection.label,
    severity: detection.severity,
    x: detection.x1,
    y: detection.y1,
    width: detection.x2 - detection.x1,
    height: detection.y2 - detection.y1,
    confidence: detection.confidence,
    second_opinion: secondOpinionOf(detection),
  }));
}

/** The second opinion is only passed on: type, severity and verdict stay the detector's. */
function secondOpinionOf({ secondOpinion }: Detection): Defect['second_opinion'] {
  if (secondOpinion === undefined) return null;
  const { label, defectType, probability, disagrees } = secondOpinion;
  return { label, defect_type: defectType, probability, disagrees };
}

/** A board's detections, and the version they are from. */
interface Found {
  readonly version: DetectorVersion;
  readonly threshold: number;
  readonly detections: readonly Detection[];
  readonly batchSize: number;
}

/**
 * Judges a batch. One board that the detector can't take doesn't fail its neighbours: when a batch fails for another reason
 * than an outage, its boards are judged one by one. Answers in the items' order; rejects only when aborted.
 *
 * While the detector says that it is away the batch waits: nothing behind it is taken in (the caller's bounds are full, so the
 * engine pauses the partitions), and nothing is lost.
 */
export async function judgeBatch(
  items: readonly JudgeItem[],
  signal: AbortSignal,
  options: JudgeOptions,
): Promise<Judgement[]> {
  const { detector, clock, metrics = noInferenceMetrics, deadlineMs = DETECTOR_DEADLINE_MS } = options;
  const { whenAvailable } = detector;
  const startMs = clock.monotonicMs();
  try {
    const found = await retryOutage(() => ask(detector, items, clock, signal), {
      clock,
      deadlineMs,
      signal,
      ...(whenAvailable === undefined ? {} : { whenAvailable: whenAvailable.bind(detector) }),
    });
    const processingMs = Math.round(clock.monotonicMs() - startMs);
    return items.map((item, index) => {
      const { version, threshold, detections, batchSize } = found[index] as Found;
      const { expectedVerdict } = item;
      if (expectedVerdict !== undefined) {
        metrics.knownJudged(version, expectedVerdict, detections.length > 0 ? 'fail' : 'pass');
      }
      return {
        model_version: versionName(version, detector),
        defects: defectsOf(item.jobId, detections),
        confidence_score: detections[0]?.confidence ?? null,
        confidence_threshold: threshold,
        processing_time_ms: processingMs,
        defects_detected: detections.length,
        batch_size: batchSize,
      };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (items.length > 1 && !isOutage(error)) {
      const judgements: Judgement[] = [];
      for (const item of items) judgements.push(...(await judgeBatch([item], signal, options)));
      return judgements;
    }
    const { reason, detail } = failureOf(error);
    return items.map(() => new InferenceFailedError(reason, detail, { cause: error }));
  }
}

/** As results name a version: with its model where that is not the one that was asked for. */
function versionName({ modelName, modelVersion }: DetectorVersion, asked: Detector): string {
  return modelName === asked.modelName ? modelVersion : `${modelName}/${modelVersion}`;
}

/** One call a version: boards of a batch have the same one, unless a deployment came while they waited. */
async function ask(
  detector: Detector,
  items: readonly JudgeItem[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Found[]> {
  const groups = new Map<DetectorVersion, number[]>();
  for (const [index, { inspectionId, input }] of items.entries()) {
    const version = detector.route(inspectionId, input);
    const group = groups.get(version);
    if (group === undefined) groups.set(version, [index]);
    else group.push(index);
  }
  const found: Found[] = [];
  await Promise.all(
    [...groups].map(async ([version, indices]) => {
      const group = indices.map((index) => items[index] as JudgeItem);
      const answers = await askVersion(version, group, clock, signal);
      for (const [at, index] of indices.entries()) found[index] = answers[at] as Found;
    }),
  );
  return found;
}

/** One call; where a version on trial fails, whatever the reason, the one that it stands in for is asked. */
async function askVersion(
  version: DetectorVersion,
  items: readonly JudgeItem[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Found[]> {
  const thresholds = items.map(({ confidenceThreshold }) => confidenceThreshold ?? version.verdictThreshold);
  const call = (callSignal: AbortSignal) =>
    version.infer(
      items.map(({ input }) => input),
      { signal: callSignal, confidenceThreshold: Math.min(...thresholds) },
    );
  try {
    const lists = await timed(clock, signal, call);
    return thresholds.map((threshold, index) => {
      const detections = (lists[index] ?? []).filter(({ confidence }) => confidence >= threshold);
      return { version, threshold, detections, batchSize: items.length };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (version.fallback === undefined) throw error;
    return askVersion(version.fallback, items, clock, signal);
  }
}

/** As the detector's own errors: worth another try. */
class DetectorTimeoutError extends Error {
  override readonly name = 'DetectorTimeoutError';
  readonly code = ERROR_CODES.inferenceFailed;
  readonly reason = 'timeout';
  readonly retriable = true;
}

/** Ends a call that takes too long, also one that doesn't listen to its signal. */
async function timed<T>(clock: Clock, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const expiry = new AbortController();
  const expired = new Promise<never>((_, reject) => {
    expiry.signal.addEventListener('abort', () => reject(expiry.signal.reason));
  });
  const timer = clock.setTimer(DETECTOR_CALL_TIMEOUT_MS, () =>
    expiry.abort(new DetectorTimeoutError(`the detector took longer than ${DETECTOR_CALL_TIMEOUT_MS} ms`)),
  );
  try {
    return await Promise.race([call(AbortSignal.any([signal, expiry.signal])), expired]);
  } finally {
    timer.cancel();
  }
}
