import type { DefectType, Severity } from '../vocabulary.ts';

/**
 * What went wrong while a model was asked, the `reason` of errors with `code` `INFERENCE_FAILED`. `unavailable`: it or its server did
 * not answer, which may pass. The others stay by themselves: `bad-input`: it refused the batch; `bad-output`: its answer is no list
 * of detections; `model-failed`: it broke while it ran; `model-not-loaded`: the server does not have it.
 */
export const INFERENCE_ERROR_REASONS = [
  'bad-input',
  'bad-output',
  'model-failed',
  'model-not-loaded',
  'unavailable',
] as const;

/** One of {@link INFERENCE_ERROR_REASONS}. */
export type InferenceErrorReason = (typeof INFERENCE_ERROR_REASONS)[number];

/**
 * One board to inspect. Both images are 640 × 640 greyscale, row by row, 0 (copper, dark) to 255 (bare board), or files where the
 * model's server decodes them. `golden` is the defect-free template of the same part; `undefined` where the part has none, in which
 * case the model sees empty channels and is less accurate.
 */
export interface DetectorInput {
  /** The board's image, `IMAGE_PIXELS` bytes, or a file. */
  readonly board: Uint8Array;
  /** The template's image, `IMAGE_PIXELS` bytes, or a file; undefined where the part has none. */
  readonly golden: Uint8Array | undefined;
}

/**
 * What the classifier says of a detection, having seen the board around its box only. It changes neither type nor severity nor
 * verdict; `disagrees` marks the defect for a person.
 */
export interface ClassifierOpinion {
  /** One of the detector's labels, or `background`: nothing is wrong there. */
  readonly label: string;
  /** Null for `background`. */
  readonly defectType: DefectType | null;
  /** How sure the classifier is, 0 to 1. */
  readonly probability: number;
  /** Whether it is another label than the detector's. */
  readonly disagrees: boolean;
}

/**
 * One defect found on a board: a box in pixels of the 640 × 640 image (`x2`, `y2` exclusive), the model's own label, and the
 * platform's type and severity that the model's `classes.json` maps it to.
 */
export interface Detection {
  /** Left edge, inclusive. */
  readonly x1: number;
  /** Upper edge, inclusive. */
  readonly y1: number;
  /** Right edge, exclusive. */
  readonly x2: number;
  /** Lower edge, exclusive. */
  readonly y2: number;
  /** How sure the model is, 0 to 1. */
  readonly confidence: number;
  /** What the model calls it. */
  readonly label: string;
  /** What the platform calls it. */
  readonly defectType: DefectType;
  /** How bad it is, by its class, size and confidence. */
  readonly severity: Severity;
  /** Absent: nobody was asked. */
  readonly secondOpinion?: ClassifierOpinion;
}

/** Per-call settings of {@link DetectorVersion.infer}. */
export interface DetectOptions {
  /** Ends the wait; the call rejects with the signal's reason. Work already begun may still finish. */
  readonly signal?: AbortSignal;
  /** Detections below it are dropped; 0 to 1. Default: the version's own verdict threshold. */
  readonly confidenceThreshold?: number;
}

/** One version of a detector: enough to be asked and to be named in a result. */
export interface DetectorVersion {
  /** Name that results carry: the model's folder in the repository. */
  readonly modelName: string;
  /** Folder of the version that answers. */
  readonly modelVersion: string;
  /** Most boards that one call may have. */
  readonly maxBatchSize: number;
  /** Confidence from which a board with a detection counts as defective. */
  readonly verdictThreshold: number;
  /**
   * Judges a batch; answers one list a board, in order, each by falling confidence. Rejects with `code` `INFERENCE_FAILED`, one of
   * {@link INFERENCE_ERROR_REASONS} and `retriable`, or with the signal's reason.
   */
  infer(batch: readonly DetectorInput[], options?: DetectOptions): Promise<readonly (readonly Detection[])[]>;
  /** Judges instead what this one, on trial, fails to judge; absent: nothing does. */
  readonly fallback?: DetectorVersion;
}

/** Judges boards. The inference flow calls it, `models/` implements it in this process or on a Triton server. */
export interface Detector {
  /** The model that requests name: the folder in the repository. A version may be of another model that helps it. */
  readonly modelName: string;
  /**
   * The version that judges this board of this inspection at this moment. Boards with the same route can be judged together. It may
   * be of another model, e.g. one for boards without golden image. Good for one call: a version may be replaced while a caller waits
   * to try again.
   */
  route(inspectionId: string, input: DetectorInput): DetectorVersion;
  /** Resolves when calls are let through: while the detector is known to be away, nobody asks it. Rejects with the signal's reason. */
  whenAvailable?(signal: AbortSignal): Promise<void>;
}
