/**
 * The messages of `inference.proto` as proto-loader gives and takes them with the options of `service.ts`:
 * camel-case names, 64-bit numbers as `number`, bytes as `Buffer`. Fields may be left out when sending and are
 * always there when receiving (oneof members excepted).
 */

/** A parameter of a request or tensor: exactly one member is set. */
export interface InferParameter {
  readonly boolParam?: boolean;
  readonly int64Param?: number;
  readonly stringParam?: string;
}

/** One input of a request; its bytes lie in `rawInputContents`, or in a shared region that `parameters` name. */
export interface InferInputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: Readonly<Record<string, InferParameter>>;
}

export interface ModelInferRequest {
  readonly modelName: string;
  /** Empty or absent: the version that the model's policy serves. */
  readonly modelVersion?: string;
  readonly id?: string;
  readonly inputs: readonly InferInputTensor[];
  readonly outputs?: readonly { readonly name: string }[];
  readonly rawInputContents?: readonly Uint8Array[];
}

/** One output of an answer; its bytes are the element of `rawOutputContents` at the same place. */
export interface InferOutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ModelInferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly outputs: readonly InferOutputTensor[];
  readonly rawOutputContents: readonly Buffer[];
}

export interface ModelStreamInferResponse {
  /** Not empty: the request failed. */
  readonly errorMessage: string;
  readonly inferResponse: ModelInferResponse | null;
}

/** Names one model; an empty or absent version means the one that the model's policy serves. */
export interface ModelRequest {
  readonly name: string;
  readonly version?: string;
}

export interface ServerMetadataResponse {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Name, datatype (`FP32`, `UINT8`, `BYTES`, …) and shape of a tensor; -1 where any size is taken. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ModelMetadataResponse {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** An input or output of a model's configuration; -1 in `dims` where any size is taken, the batch not counted. */
export interface ConfiguredTensor {
  readonly name: string;
  /** `TYPE_FP32`, `TYPE_STRING`, … */
  readonly dataType: string;
  readonly dims: readonly number[];
}

/** One step of an ensemble. */
export interface EnsembleStep {
  readonly modelName: string;
  /** -1: the newest. */
  readonly modelVersion: number;
  /** From the step's own names of its tensors to the ensemble's. */
  readonly inputMap: Readonly<Record<string, string>>;
  readonly outputMap: Readonly<Record<string, string>>;
}

/** The part of a model's configuration that the platform reads, or writes for ensembles. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly maxBatchSize: number;
  readonly input: readonly (ConfiguredTensor & { readonly optional: boolean })[];
  readonly output: readonly ConfiguredTensor[];
  readonly dynamicBatching: {
    readonly preferredBatchSize: readonly number[];
    readonly maxQueueDelayMicroseconds: number;
  } | null;
  readonly ensembleScheduling: { readonly step: readonly EnsembleStep[] } | null;
}

export interface ModelConfigResponse {
  readonly config: ModelConfig | null;
}

/** How often something happened and how long it took altogether, in nanoseconds. */
export interface StatisticDuration {
  readonly count: number;
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0: never. */
  readonly lastInference: number;
  /** Images. */
  readonly inferenceCount: number;
  /** Batches. */
  readonly executionCount: number;
  readonly inferenceStats: Readonly<
    Record<'success' | 'fail' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput', StatisticDuration | null>
  > | null;
  readonly batchStats: readonly {
    readonly batchSize: number;
    readonly computeInfer: StatisticDuration | null;
  }[];
}

/** One version of a model in the server's repositories. */
export interface RepositoryModel {
  readonly name: string;
  readonly version: string;
  /** `READY`, `LOADING`, `UNLOADING`, `UNAVAILABLE`; empty for a model that was never loaded. */
  readonly state: string;
  /** Why it is not ready. */
  readonly reason: string;
}

/** A parameter of loading: exactly one member is set. */
export interface RepositoryParameter {
  readonly boolParam?: boolean;
  readonly stringParam?: string;
  readonly bytesParam?: Uint8Array;
}

export interface RepositoryModelRequest {
  readonly modelName: string;
  readonly parameters?: Readonly<Record<string, RepositoryParameter>>;
}

export interface SharedMemoryRegion {
  readonly name: string;
  /** As given to shm_open: `/NAME` is the file `/dev/shm/NAME`. */
  readonly key: string;
  readonly offset?: number;
  readonly byteSize: number;
}

type Nothing = Readonly<Record<string, never>>;

/** Request and answer of every unary method. */
export interface InferenceMethods {
  readonly ServerLive: [Nothing, { readonly live: boolean }];
  readonly ServerReady: [Nothing, { readonly ready: boolean }];
  readonly ServerMetadata: [Nothing, ServerMetadataResponse];
  readonly ModelReady: [ModelRequest, { readonly ready: boolean }];
  readonly ModelMetadata: [ModelRequest, ModelMetadataResponse];
  readonly ModelConfig: [ModelRequest, ModelConfigResponse];
  readonly ModelInfer: [ModelInferRequest, ModelInferResponse];
  readonly ModelStatistics: [ModelRequest, { readonly modelStats: readonly ModelStatistics[] }];
  readonly RepositoryIndex: [{ readonly ready?: boolean }, { readonly models: readonly RepositoryModel[] }];
  readonly RepositoryModelLoad: [RepositoryModelRequest, Nothing];
  readonly RepositoryModelUnload: [RepositoryModelRequest, Nothing];
  readonly SystemSharedMemoryStatus: [
    { readonly name?: string },
    { readonly regions: Readonly<Record<string, SharedMemoryRegion>> },
  ];
  readonly SystemSharedMemoryRegister: [SharedMemoryRegion, Nothing];
  /** An empty name means all regions. */
  readonly SystemSharedMemoryUnregister: [{ readonly name: string }, Nothing];
}
