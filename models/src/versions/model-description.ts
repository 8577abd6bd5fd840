import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFECT_TYPES, type DefectType, SEVERITIES, type Severity } from '@chip-quality/schemas';
import { InferenceError } from '../errors.ts';

/** How one class of a model is called by the model and by the platform. */
export interface ModelClass {
  /** What the model calls it. */
  readonly label: string;
  /** What the platform's API calls it. */
  readonly defectType: DefectType;
  /** Severity of an ordinary defect of this class. */
  readonly severity: Severity;
  /** A box of at least this many square pixels is one step more severe; absent: size does not matter. */
  readonly escalateFromPx2?: number;
}

/** What a model version says about itself in the `classes.json` beside its weights. */
export interface ModelDescription {
  /** Name that the training gave the model; for people. */
  readonly modelVersion: string;
  /** Chosen on validation boards: the confidence from which a detection makes a board defective. */
  readonly verdictThreshold: number;
  /** Detections below this confidence are one step less severe; absent: confidence does not matter. */
  readonly sureConfidence?: number;
  /** By class id. */
  readonly classes: readonly ModelClass[];
}

/**
 * Reads and checks `MODEL/VERSION/classes.json`, the table that maps a model's labels to the
 * platform's defect types. Rejects with `InferenceError` (`unavailable` when it cannot be read,
 * `bad-output` when it does not make sense).
 */
export async function readModelDescription(modelDirectory: string, version: string): Promise<ModelDescription> {
  const path = join(modelDirectory, version, 'classes.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new InferenceError('unavailable', `cannot read ${path}`, { cause });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new InferenceError('bad-output', `${path} is not JSON`, { cause });
  }
  if (!isDescription(parsed)) {
    throw new InferenceError('bad-output', `${path} does not describe a model's classes`);
  }
  return parsed;
}

/**
 * The severity of a detection: its class's own, one step up when the box is large, one step down when the model is unsure; a large
 * box that is unsure stays where its class is.
 */
export function severityOf(
  modelClass: ModelClass,
  {
    areaPx2,
    confidence,
  }: {
    /** Area of the detection's box. */
    readonly areaPx2: number;
    /** How sure the model is, 0 to 1. */
    readonly confidence: number;
  },
  { sureConfidence = 0 }: Pick<ModelDescription, 'sureConfidence'>,
): Severity {
  const { severity, escalateFromPx2 = Number.POSITIVE_INFINITY } = modelClass;
  const step = Number(areaPx2 >= escalateFromPx2) - Number(confidence < sureConfidence);
  const at = Math.min(Math.max(SEVERITIES.indexOf(severity) + step, 0), SEVERITIES.length - 1);
  return SEVERITIES[at] ?? severity;
}

function isDescription(value: unknown): value is ModelDescription {
  if (!isRecord(value) || typeof value['modelVersion'] !== 'string') return false;
  const threshold = value['verdictThreshold'];
  const classes = value['classes'];
  return (
    typeof threshold === 'number' &&
    threshold > 0 &&
    threshold < 1 &&
    isConfidence(value['sureConfidence']) &&
    Array.isArray(classes) &&
    classes.length > 0 &&
    classes.every(isModelClass)
  );
}

function isModelClass(value: unknown): value is ModelClass {
  return (
    isRecord(value) &&
    typeof value['label'] === 'string' &&
    (DEFECT_TYPES as readonly unknown[]).includes(value['defectType']) &&
    (SEVERITIES as readonly unknown[]).includes(value['severity']) &&
    (value['escalateFromPx2'] === undefined || typeof value['escalateFromPx2'] === 'number')
  );
}

function isConfidence(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
