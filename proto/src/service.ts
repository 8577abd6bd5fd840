import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type { InferenceMethods, ModelInferRequest, ModelStreamInferResponse } from './messages.ts';

const PROTO_FILE = fileURLToPath(new URL('../inference.proto', import.meta.url));
const SERVICE = 'inference.GRPCInferenceService';

/** The methods that have one answer, typed by {@link InferenceMethods}. */
type Unary = {
  readonly [Name in keyof InferenceMethods]: MethodDefinition<InferenceMethods[Name][0], InferenceMethods[Name][1]>;
};

/** The methods of the inference service: path, serialising and deserialising, typed. */
export type InferenceService = Unary & {
  /** Judges batch after batch over one stream; answers come in any order and are told apart by `id`. */
  readonly ModelStreamInfer: MethodDefinition<ModelInferRequest, ModelStreamInferResponse>;
};

let loaded: InferenceService | undefined;

/** Reads `inference.proto` (once, synchronously, some 20 ms). Throws when the file is broken. */
export function inferenceService(): InferenceService {
  // 64-bit numbers of the protocol are sizes, counts and times: all far below 2^53.
  loaded ??= loadSync(PROTO_FILE, { longs: Number, enums: String, defaults: true, oneofs: true })[
    SERVICE
  ] as ServiceDefinition as unknown as InferenceService;
  return loaded;
}
