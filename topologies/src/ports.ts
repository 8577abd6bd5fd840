import type { PlatformSerdes } from './platform-serdes.ts';

/**
 * What the dataflow needs of the outside. `app/` injects the implementations (`sinks/objects`, `models/`); errors are told
 * apart by `code`, so that no topology imports their classes.
 */

/** What every flow needs. */
export interface FlowPorts {
  /** How records are read and written. */
  readonly serdes: PlatformSerdes;
}

/** What a flow with state needs. */
export interface StatefulFlowPorts extends FlowPorts {
  /**
   * Where state lives between commits. Default `persistent`: a restart restores only the tail of the changelog.
   * `memory`: it restores all of it.
   */
  readonly store?: 'memory' | 'persistent';
}

/** A file to what the detector takes: pixels, or the checked file itself where its server decodes. Rejects with `code` `INVALID_IMAGE` and a `reason`. */
export type ImageDecoder = (bytes: Uint8Array) => Promise<Uint8Array>;

/** One board and, where its part has one, the golden image, as {@link ImageDecoder} makes them. */
export interface DetectorInput {
  /** The board's image. */
  readonly board: Uint8Array;
  /** The template's image; undefined where the part has none. */
  readonly golden: Uint8Array | undefined;
}

/** What a classifier says of a detection; `defectType` is null where it sees no defect. */
export interface SecondOpinion {
  /** One of the detector's labels, or `background`. */
  readonly label: string;
  /** What the platform calls it; null for `background`. */
  readonly defectType: string | null;
  /** How sure the classifier is, 0 to 1. */
  readonly probability: number;
  /** It is another label than the detector's. */
  readonly disagrees: boolean;
}

/** One detection; box in pixels. */
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
  readonly defectType: string;
  /** How bad it is: one of `SEVERITIES`. */
  readonly severity: string;
  /** Absent: nobody was asked. */
  readonly secondOpinion?: SecondOpinion;
}

/** One version of a detector. */
export interface DetectorVersion {
  /** Name that results carry. */
  readonly modelName: string;
  /** Version that results carry. */
  readonly modelVersion: string;
  /** Most boards that one call may have. */
  readonly maxBatchSize: number;
  /** Confidence from which a board with a detection counts as defective. */
  readonly verdictThreshold: number;
  /** Judges a batch; answers one list a board, in order. */
  infer(
    batch: readonly DetectorInput[],
    options?: {
      /** Ends the wait; the call rejects with its reason. */
      readonly signal?: AbortSignal;
      /** Less sure detections are left out, 0 to 1. Default: the version's own threshold. */
      readonly confidenceThreshold?: number;
    },
  ): Promise<readonly (readonly Detection[])[]>;
  /** Judges instead what this one, on trial, fails to judge; absent: nothing does. */
  readonly fallback?: DetectorVersion;
}

/** Judges boards. Rejects with `code` `INFERENCE_FAILED` and `retriable`. */
export interface Detector extends DetectorVersion {
  /**
   * The version that judges this board of this inspection at this moment; absent: there is one only. Boards with the same route can
   * be judged together. It may be of another model, e.g. one for boards without golden image. Good for one call: a version may be
   * replaced while a caller waits to try again.
   */
  route?(inspectionId: string, input: DetectorInput): DetectorVersion;
  /** Resolves when calls are let through: while the detector is known to be away, nobody asks it. Rejects with the signal's reason. */
  whenAvailable?(signal: AbortSignal): Promise<void>;
}
