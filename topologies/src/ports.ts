import type { PlatformSerdes } from './platform-serdes.ts';

/**
 * What the dataflow needs of the outside. `app/` injects the implementations (`sinks/objects`, `models/`); errors are told
 * apart by `code`, so that no topology imports their classes.
 */

/** What every flow needs. */
export interface FlowPorts {
  readonly serdes: PlatformSerdes;
}

/** What a flow with state needs. */
export interface StatefulFlowPorts extends FlowPorts {
  /** Where state lives between commits. Default `persistent`: a restart restores only the tail of the changelog. */
  readonly store?: 'memory' | 'persistent';
}

/**
 * Loads an object. Rejects with `code` `OBJECT_NOT_FOUND` or `OBJECT_TOO_LARGE` (repeating doesn't help),
 * `OBJECT_STORE_UNAVAILABLE` (it does), or the signal's reason.
 */
export interface ImageSource {
  load(storagePath: string, signal: AbortSignal): Promise<Uint8Array>;
}

/** A file to what the detector takes: pixels, or the checked file itself where its server decodes. Rejects with `code` `INVALID_IMAGE` and a `reason`. */
export type ImageDecoder = (bytes: Uint8Array) => Promise<Uint8Array>;

/** One board and, where its part has one, the golden image, as {@link ImageDecoder} makes them. */
export interface DetectorInput {
  readonly board: Uint8Array;
  readonly golden: Uint8Array | undefined;
}

/** What a classifier says of a detection; `defectType` is null where it sees no defect. */
export interface SecondOpinion {
  readonly label: string;
  readonly defectType: string | null;
  readonly probability: number;
  /** It is another label than the detector's. */
  readonly disagrees: boolean;
}

/** One detection; box in pixels. */
export interface Detection {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly confidence: number;
  readonly label: string;
  readonly defectType: string;
  readonly severity: string;
  /** Absent: nobody was asked. */
  readonly secondOpinion?: SecondOpinion;
}

/** One version of a detector. */
export interface DetectorVersion {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly maxBatchSize: number;
  /** Confidence from which a board with a detection counts as defective. */
  readonly verdictThreshold: number;
  infer(
    batch: readonly DetectorInput[],
    options?: { readonly signal?: AbortSignal; readonly confidenceThreshold?: number },
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
