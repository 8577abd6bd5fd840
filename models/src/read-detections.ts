import { InferenceError } from './errors.ts';
import { type Detection, IMAGE_SIDE_PX } from './inference-port.ts';
import { type ModelDescription, severityOf } from './model-description.ts';
import { intersectionOverUnion } from './score-detections.ts';

/** Columns of the `detections` tensor: x1, y1, x2, y2, confidence, class id. */
export const DETECTION_COLUMNS = 6;
/** Two boxes that overlap more lie on the same mark; the graph compares peaks of one class only. */
const SAME_MARK_IOU = 0.5;
/** Rounding in the served graph may leave the image by this much. */
const BOX_TOLERANCE_PX = 1;

/**
 * Turns the `detections` rows of one image into the platform's terms: those of at least the given
 * confidence, by falling confidence. Throws `InferenceError` (`bad-output`) for numbers that are no
 * detection (NaN, unknown class, confidence outside 0..1, a box outside the image), since a verdict
 * must not rest on them.
 */
export function readDetections(
  rows: Float32Array,
  description: ModelDescription,
  confidenceThreshold: number,
): Detection[] {
  if (rows.length % DETECTION_COLUMNS !== 0) {
    throw new InferenceError('bad-output', `${rows.length} numbers are not rows of six`);
  }
  const found: Detection[] = [];
  for (let i = 0; i < rows.length; i += DETECTION_COLUMNS) {
    const [x1, y1, x2, y2, confidence, classId] = rows.subarray(i, i + DETECTION_COLUMNS) as unknown as Row;
    const modelClass = description.classes[classId];
    const boxIsSound =
      x1 >= -BOX_TOLERANCE_PX &&
      y1 >= -BOX_TOLERANCE_PX &&
      x2 <= IMAGE_SIDE_PX + BOX_TOLERANCE_PX &&
      y2 <= IMAGE_SIDE_PX + BOX_TOLERANCE_PX &&
      x2 >= x1 &&
      y2 >= y1;
    // Comparisons with NaN are false, so NaN fails here too.
    if (modelClass === undefined || !boxIsSound || !(confidence >= 0 && confidence <= 1)) {
      const row = [x1, y1, x2, y2, confidence, classId].join(', ');
      throw new InferenceError('bad-output', `the model answered with [${row}]`);
    }
    if (confidence < confidenceThreshold) continue;
    const { label, defectType } = modelClass;
    const severity = severityOf(modelClass, { areaPx2: (x2 - x1) * (y2 - y1), confidence }, description);
    found.push({ x1, y1, x2, y2, confidence, label, defectType, severity });
  }
  return found.sort((a, b) => b.confidence - a.confidence);
}

/** Of boxes that lie on each other only the surest, whatever their classes: one mark is one defect. */
export function onePerMark(sorted: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const detection of sorted) {
    if (kept.every((other) => intersectionOverUnion(detection, other) <= SAME_MARK_IOU)) {
      kept.push(detection);
    }
  }
  return kept;
}

type Row = [number, number, number, number, number, number];
