import { type ClassifierOpinion, type Detection, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { InferenceError } from '../errors.ts';
import { intersectionOverUnion } from '../evaluation/score-detections.ts';
import { type ModelDescription, severityOf } from '../versions/model-description.ts';

/** Columns of the `detections` tensor: x1, y1, x2, y2, confidence, class id. */
export const DETECTION_COLUMNS = 6;
/** Columns of the `second_opinions` tensor: class id, probability. */
export const OPINION_COLUMNS = 2;
/** Class id of a row that the classifier was not asked about; its probability is 0. */
export const NOT_ASKED = -1;
/** The classifier's last class: nothing is wrong. */
const BACKGROUND_LABEL = 'background';
/** Two boxes that overlap more lie on the same mark; the graph compares peaks of one class only. */
const SAME_MARK_IOU = 0.5;
/** Rounding in the served graph may leave the image by this much. */
const BOX_TOLERANCE_PX = 1;

/**
 * Turns the `detections` rows of one image, and its `second_opinions` rows where there are any, into the platform's terms:
 * those of at least the given confidence, by falling confidence. Throws `InferenceError` (`bad-output`) for numbers that are no
 * detection (NaN, unknown class, confidence outside 0..1, a box outside the image), since a verdict
 * must not rest on them.
 */
export function readDetections(
  rows: Float32Array,
  description: ModelDescription,
  confidenceThreshold: number,
  opinions?: Float32Array,
): Detection[] {
  if (rows.length % DETECTION_COLUMNS !== 0) {
    throw new InferenceError('bad-output', `${rows.length} numbers are not rows of six`);
  }
  const rowCount = rows.length / DETECTION_COLUMNS;
  if (opinions !== undefined && opinions.length !== rowCount * OPINION_COLUMNS) {
    throw new InferenceError('bad-output', `${opinions.length} numbers are not second opinions on ${rowCount} rows`);
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
    const opinion = opinionAt(opinions, i / DETECTION_COLUMNS, label, description);
    found.push({
      ...{ x1, y1, x2, y2, confidence, label, defectType, severity },
      ...(opinion === undefined ? {} : { secondOpinion: opinion }),
    });
  }
  return found.sort((a, b) => b.confidence - a.confidence);
}

function opinionAt(
  opinions: Float32Array | undefined,
  row: number,
  detectorLabel: string,
  { classes }: ModelDescription,
): ClassifierOpinion | undefined {
  if (opinions === undefined) return undefined;
  const classId = opinions[row * OPINION_COLUMNS] as number;
  const probability = opinions[row * OPINION_COLUMNS + 1] as number;
  if (classId === NOT_ASKED && probability === 0) return undefined;
  const opinionClass = classes[classId];
  if ((opinionClass === undefined && classId !== classes.length) || !(probability >= 0 && probability <= 1)) {
    throw new InferenceError('bad-output', `the classifier answered with [${classId}, ${probability}]`);
  }
  const label = opinionClass?.label ?? BACKGROUND_LABEL;
  return { label, defectType: opinionClass?.defectType ?? null, probability, disagrees: label !== detectorLabel };
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
