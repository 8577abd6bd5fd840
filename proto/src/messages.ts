/**
 * The messages of `inference.proto` as proto-loader gives and takes them with the options of `service.ts`:
 * camel-case names, 64-bit numbers as `number`, bytes as `Buffer`. Fields may be left out when sending and are
 * always there when receiving (oneof members excepted).
 */

/** A parameter of a request or tensor: exactly one member is set. */
export interface InferParameter {
  /** Set for a parameter that is true or false. */
  readonly boolParam?: boolean;
  /** Set for a parameter that is a whole number, up to 2^53. */
  readonly int64Param?: number;
  /** Set for a parameter that is text. */
  readonly stringParam?: string;
}

/** One input of a request; its bytes lie in `rawInputContents`, or in a shared region that `parameters` name. */
export interface InferInputTensor {
  /** As the model's configuration has it. */
  readonly name: string;
  /** `FP32`, `UINT8`, `BYTES` and so on. */
  readonly datatype: string;
  /** With the batch in front. */
  readonly shape: readonly number[];
  /** Where the bytes lie, for those in shared memory: region, offset and size. */
  readonly parameters?: Readonly<Record<string, InferParameter>>;
}

/** Asks a model for one batch. */
export interface ModelInferRequest {
  /** As the repository has it. */
  readonly modelName: string;
  /** Empty or absent: the version that the model's policy serves. */
  readonly modelVersion?: string;
  /** Comes back in the answer; empty: none. */
  readonly id?: string;
  /** Every input of the model, in any order. */
  readonly inputs: readonly InferInputTensor[];
  /** Which outputs are wanted; absent: all. */
  readonly outputs?: readonly {
    /** As the model's configuration has it. */
    readonly name: string;
  }[];
  /** Bytes of the inputs that are not in shared memory, little-endian, in the order of `inputs`. */
  readonly rawInputContents?: readonly Uint8Array[];
}

/** One output of an answer; its bytes are the element of `rawOutputContents` at the same place. */
export interface InferOutputTensor {
  /** As the model's configuration has it. */
  readonly name: string;
  /** `FP32`, `UINT8`, `BYTES` and so on. */
  readonly datatype: string;
  /** With the batch in front. */
  readonly shape: readonly number[];
}

/** What a model made of one batch. */
export interface ModelInferResponse {
  /** Which model answered. */
  readonly modelName: string;
  /** Which version of it answered. */
  readonly modelVersion: string;
  /** That of the request. */
  readonly id: string;
  /** Those that were asked for. */
  readonly outputs: readonly InferOutputTensor[];
  /** Bytes of the outputs, little-endian, in the order of `outputs`. */
  readonly rawOutputContents: readonly Buffer[];
}

/** One answer of a stream of requests. */
export interface ModelStreamInferResponse {
  /** Not empty: the request failed. */
  readonly errorMessage: string;
  /** Null where the request failed. */
  readonly inferResponse: ModelInferResponse | null;
}

/** Names one model; an empty or absent version means the one that the model's policy serves. */
export interface ModelRequest {
  /** As the repository has it. */
  readonly name: string;
  /** A number as text. */
  readonly version?: string;
}

/** Which server answers. */
export interface ServerMetadataResponse {
  /** `triton`, for one. */
  readonly name: string;
  /** The server's own version. */
  readonly version: string;
  /** What it can beyond the protocol, such as `system_shared_memory`. */
  readonly extensions: readonly string[];
}

/** Name, datatype (`FP32`, `UINT8`, `BYTES`, …) and shape of a tensor; -1 where any size is taken. */
export interface TensorMetadata {
  /** As the model's configuration has it. */
  readonly name: string;
  /** `FP32`, `UINT8`, `BYTES` and so on. */
  readonly datatype: string;
  /** With the batch in front where the model takes batches. */
  readonly shape: readonly number[];
}

/** What a model takes and gives. */
export interface ModelMetadataResponse {
  /** As the repository has it. */
  readonly name: string;
  /** Those that are loaded, numbers as text. */
  readonly versions: readonly string[];
  /** `onnxruntime_onnx`, `ensemble` and so on. */
  readonly platform: string;
  /** Tensors that a request must bring. */
  readonly inputs: readonly TensorMetadata[];
  /** Tensors that an answer may have. */
  readonly outputs: readonly TensorMetadata[];
}

/** An input or output of a model's configuration; -1 in `dims` where any size is taken, the batch not counted. */
export interface ConfiguredTensor {
  /** By which requests and ensembles call it. */
  readonly name: string;
  /** `TYPE_FP32`, `TYPE_STRING`, … */
  readonly dataType: string;
  /** Size of each dimension; -1: any. */
  readonly dims: readonly number[];
}

/** One step of an ensemble. */
export interface EnsembleStep {
  /** Model that does the step. */
  readonly modelName: string;
  /** -1: the newest. */
  readonly modelVersion: number;
  /** From the step's own names of its tensors to the ensemble's. */
  readonly inputMap: Readonly<Record<string, string>>;
  /** From the step's own names of its outputs to the ensemble's. */
  readonly outputMap: Readonly<Record<string, string>>;
}

/** The part of a model's configuration that the platform reads, or writes for ensembles. */
export interface ModelConfig {
  /** As the repository has it. */
  readonly name: string;
  /** `ensemble`, or empty where `backend` says what runs it. */
  readonly platform: string;
  /** What runs it, such as `onnxruntime`. */
  readonly backend: string;
  /** Largest batch; 0: the model takes none. */
  readonly maxBatchSize: number;
  /** Tensors that a request must bring. */
  readonly input: readonly (ConfiguredTensor & {
    /** A request may leave it out. */
    readonly optional: boolean;
  })[];
  /** Tensors that an answer may have. */
  readonly output: readonly ConfiguredTensor[];
  /** How the server gathers batches; null: it does not. */
  readonly dynamicBatching: {
    /** Sizes that are sent to the model at once. */
    readonly preferredBatchSize: readonly number[];
    /** How long a request waits for others. */
    readonly maxQueueDelayMicroseconds: number;
  } | null;
  /** The steps of an ensemble; null for other models. */
  readonly ensembleScheduling: {
    /** In no order: tensors say which step follows which. */
    readonly step: readonly EnsembleStep[];
  } | null;
}

/** A model's configuration, completed by the server. */
export interface ModelConfigResponse {
  /** Null only where a server leaves it out. */
  readonly config: ModelConfig | null;
}

/** How often something happened and how long it took altogether, in nanoseconds. */
export interface StatisticDuration {
  /** How often, since the server started. */
  readonly count: number;
  /** How long altogether, nanoseconds. */
  readonly ns: number;
}

/** What one version of a model has done since the server started. */
export interface ModelStatistics {
  /** As the repository has it. */
  readonly name: string;
  /** A number as text. */
  readonly version: string;
  /** Milliseconds since 1970; 0: never. */
  readonly lastInference: number;
  /** Images. */
  readonly inferenceCount: number;
  /** Batches. */
  readonly executionCount: number;
  /**
   * Where the time of requests went: waiting (`queue`) and the three phases of computing, for all of them `success` and
   * `fail`.
   */
  readonly inferenceStats: Readonly<
    Record<'success' | 'fail' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput', StatisticDuration | null>
  > | null;
  /** How often each size of batch ran. */
  readonly batchStats: readonly {
    /** Images in a batch. */
    readonly batchSize: number;
    /** How long the model itself took for batches of this size. */
    readonly computeInfer: StatisticDuration | null;
  }[];
}

/** One version of a model in the server's repositories. */
export interface RepositoryModel {
  /** Folder of the model. */
  readonly name: string;
  /** A number as text; empty for a model that was never loaded. */
  readonly version: string;
  /** `READY`, `LOADING`, `UNLOADING`, `UNAVAILABLE`; empty for a model that was never loaded. */
  readonly state: string;
  /** Why it is not ready. */
  readonly reason: string;
}

/** A parameter of loading: exactly one member is set. */
export interface RepositoryParameter {
  /** Set for a parameter that is true or false. */
  readonly boolParam?: boolean;
  /** Set for a parameter that is text, such as a configuration as JSON. */
  readonly stringParam?: string;
  /** Set for a parameter that is a file of the model. */
  readonly bytesParam?: Uint8Array;
}

/** Asks the server to load or unload a model. */
export interface RepositoryModelRequest {
  /** Folder of the model. */
  readonly modelName: string;
  /** What to load instead of what the repository has: configuration and files. */
  readonly parameters?: Readonly<Record<string, RepositoryParameter>>;
}

/** Memory that client and server of one machine share, so that tensors need not be sent. */
export interface SharedMemoryRegion {
  /** By which requests refer to it. */
  readonly name: string;
  /** As given to shm_open: `/NAME` is the file `/dev/shm/NAME`. */
  readonly key: string;
  /** Where in the shared memory it begins, bytes. Default: 0. */
  readonly offset?: number;
  /** Its length, bytes. */
  readonly byteSize: number;
}

/** A message without fields. */
type Nothing = Readonly<Record<string, never>>;

/** Request and answer of every unary method. */
export interface InferenceMethods {
  /** Whether the process runs. */
  readonly ServerLive: [
    Nothing,
    {
      /** False is never answered: a dead server answers nothing. */
      readonly live: boolean;
    },
  ];
  /** Whether requests may be sent. */
  readonly ServerReady: [
    Nothing,
    {
      /** By the server's own rule: all models that must be loaded are. */
      readonly ready: boolean;
    },
  ];
  /** Which product and version answers, and what it can beyond the protocol. */
  readonly ServerMetadata: [Nothing, ServerMetadataResponse];
  /** Whether a model may be asked. */
  readonly ModelReady: [
    ModelRequest,
    {
      /** The version is loaded and answers. */
      readonly ready: boolean;
    },
  ];
  /** What a model takes and gives. */
  readonly ModelMetadata: [ModelRequest, ModelMetadataResponse];
  /** How a model is set up. */
  readonly ModelConfig: [ModelRequest, ModelConfigResponse];
  /** Judges one batch. */
  readonly ModelInfer: [ModelInferRequest, ModelInferResponse];
  /** What models have done since the server started. */
  readonly ModelStatistics: [
    ModelRequest,
    {
      /** One entry for each version. */
      readonly modelStats: readonly ModelStatistics[];
    },
  ];
  /** Which models the server's repositories have. */
  readonly RepositoryIndex: [
    {
      /** True: only those that may be asked. */
      readonly ready?: boolean;
    },
    {
      /** One entry for each version. */
      readonly models: readonly RepositoryModel[];
    },
  ];
  /** Loads a model, or loads it anew. */
  readonly RepositoryModelLoad: [RepositoryModelRequest, Nothing];
  /** Takes a model out of memory. */
  readonly RepositoryModelUnload: [RepositoryModelRequest, Nothing];
  /** Which shared regions the server knows. */
  readonly SystemSharedMemoryStatus: [
    {
      /** Absent: all. */
      readonly name?: string;
    },
    {
      /** Each under the name that it was registered by. */
      readonly regions: Readonly<Record<string, SharedMemoryRegion>>;
    },
  ];
  /** Makes a region known to the server. */
  readonly SystemSharedMemoryRegister: [SharedMemoryRegion, Nothing];
  /** An empty name means all regions. */
  readonly SystemSharedMemoryUnregister: [
    {
      /** The region to forget. */
      readonly name: string;
    },
    Nothing,
  ];
}
