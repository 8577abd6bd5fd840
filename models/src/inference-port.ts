/** Side of the square images the detector takes, in pixels; part of the model's tensor contract. */
export const IMAGE_SIDE_PX = 640;

/** Pixels of one greyscale image: the exact length of every `board` and `golden` array. */
export const IMAGE_PIXELS = IMAGE_SIDE_PX * IMAGE_SIDE_PX;

/** The six defect types the platform's API speaks of, whatever labels a model was trained with. */
export const PLATFORM_DEFECT_TYPES = ['scratch', 'void', 'contamination', 'misalignment', 'short', 'open'] as const;

/** One of {@link PLATFORM_DEFECT_TYPES}. */
export type PlatformDefectType = (typeof PLATFORM_DEFECT_TYPES)[number];

/** How bad a defect is, from the least to the worst. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** One of {@link SEVERITIES}. */
export type Severity = (typeof SEVERITIES)[number];

/**
 * One board to inspect. Both images are 640 × 640 greyscale, row by row, 0 (copper, dark) to 255
 * (bare board). `golden` is the defect-free template of the same part; `undefined` where the part has
 * none, in which case the model sees empty channels and is less accurate.
 */
export interface DetectorInput {
  /** The board's image, {@link IMAGE_PIXELS} bytes. */
  readonly board: Uint8Array;
  /** The template's image, {@link IMAGE_PIXELS} bytes; undefined where the part has none. */
  readonly golden: Uint8Array | undefined;
}

/**
 * What the classifier says of a detection, having seen the board around its box only. It changes neither type nor severity nor
 * verdict; `disagrees` marks the defect for a person.
 */
export interface SecondOpinion {
  /** One of the detector's labels, or `background`: nothing is wrong there. */
  readonly label: string;
  /** Null for `background`. */
  readonly defectType: PlatformDefectType | null;
  /** How sure the classifier is, 0 to 1. */
  readonly probability: number;
  /** Whether it is another label than the detector's. */
  readonly disagrees: boolean;
}

/**
 * One defect found on a board: a box in pixels of the 640 × 640 image (`x2`, `y2` exclusive), the
 * model's own label, and the platform's type and severity that the model's `classes.json` maps it to.
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
  /** What the platform's API calls it. */
  readonly defectType: PlatformDefectType;
  /** How bad it is, by its class, size and confidence. */
  readonly severity: Severity;
  /** Absent: nobody was asked. */
  readonly secondOpinion?: SecondOpinion;
}

/** Per-call settings of {@link InferenceEngine.infer}. */
export interface InferOptions {
  /** Ends the wait; the call rejects with the signal's reason. Work already handed to the engine may still finish. */
  readonly signal?: AbortSignal;
  /** Detections below it are dropped; 0 to 1. Default: the model's own verdict threshold. */
  readonly confidenceThreshold?: number;
  /**
   * Also report boxes that overlap a surer one of another class. A verdict wants one defect a mark;
   * a precision-recall curve wants every candidate. Default `false`.
   */
  readonly allCandidates?: boolean;
}

/**
 * What the platform asks of a detector, wherever it runs: in this process or in a Triton server.
 * `infer` answers one list per input, in order, each sorted by falling confidence. It takes any
 * batch from 1 to `maxBatchSize`; the arrays given to it may be kept until the promise settles but
 * are never written to. It rejects with `InferenceError` when the model cannot answer.
 */
export interface InferenceEngine {
  /** Name that results carry: the model's folder in the repository. */
  readonly modelName: string;
  /** Folder of the version that answers. */
  readonly modelVersion: string;
  /** Most boards that one call may have. */
  readonly maxBatchSize: number;
  /** The confidence from which a board with a detection counts as defective. */
  readonly verdictThreshold: number;
  /** Judges a batch of boards. */
  infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]>;
  /** Whether `infer` would be served now; never rejects. */
  ready(): Promise<boolean>;
  /** Releases threads and memory; calls still waiting reject with `InferenceError`. Safe to call twice. */
  close(): Promise<void>;
}
