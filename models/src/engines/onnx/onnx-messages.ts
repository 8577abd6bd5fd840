/**
 * What the engine and its worker thread say to each other. `planes` holds board and golden of every
 * image, one after the other (2 × 640 × 640 bytes an image); it travels by transfer and comes back
 * for reuse.
 */
export interface InferRequest {
  readonly id: number;
  readonly count: number;
  readonly planes: Uint8Array<ArrayBuffer>;
  /** Per image, whether its golden plane is filled. */
  readonly hasGolden: readonly boolean[];
  /** Detections from this confidence on get a second opinion, where the engine asks for one. */
  readonly confidenceThreshold: number;
}

/** The worker's answer: `rows` is `count` × rows × 6, `opinions` `count` × rows × 2, or `error` says why there is none. */
export interface InferReply {
  readonly kind: 'reply';
  readonly id: number;
  readonly planes: Uint8Array<ArrayBuffer>;
  readonly rows?: Float32Array<ArrayBuffer>;
  readonly opinions?: Float32Array<ArrayBuffer>;
  readonly error?: { readonly reason: 'bad-output' | 'model-failed'; readonly message: string };
}

/** Sent once: the model is loaded, or could not be. */
export type WorkerStarted = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly message: string };

/** `workerData` of the inference worker. */
export interface WorkerSettings {
  readonly modelPath: string;
  /** Of the classifier; absent: no second opinions. */
  readonly classifierPath?: string;
}

/** Names of the tensors, fixed by the model's contract. */
export const INPUT_NAME = 'input_images';
/** See {@link INPUT_NAME}. */
export const OUTPUT_NAME = 'detections';
