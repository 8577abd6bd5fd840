import { type InferInputTensor, inferenceService, type ModelInferRequest } from '@chip-quality/proto';
import type { BatchTensor } from './batch-tensors.ts';

/** Field 7, `raw_input_contents`, of type "length-delimited". */
const RAW_CONTENTS_TAG = (7 << 3) | 2;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * Serialises a request with its tensors' bytes written where they travel: through protobuf's own serialiser they
 * would be copied twice more, 79 MB each time for 16 boards. `memory` is used for the message when it is large
 * enough; the result lies in it then.
 */
export function encodeWithContents(
  request: Omit<ModelInferRequest, 'inputs'>,
  tensors: readonly BatchTensor[],
  memory?: ArrayBuffer,
): Buffer<ArrayBuffer> {
  const inputs = tensors.map(({ name, datatype, shape }): InferInputTensor => ({ name, datatype, shape }));
  const head = inferenceService().ModelInfer.requestSerialize({ ...request, inputs });
  const prefixes = tensors.map(({ byteLength }) => Buffer.from([RAW_CONTENTS_TAG, ...varint(byteLength)]));
  const length = tensors.reduce((sum, tensor, i) => sum + (prefixes[i]?.length ?? 0) + tensor.byteLength, head.length);
  // Floats can only be written at multiples of four, so the message may begin a few bytes into its memory. There is
  // one float tensor at most, and it comes first.
  const start = -(head.length + (prefixes[0]?.length ?? 0)) & (FLOAT_BYTES - 1);
  const target = memory !== undefined && memory.byteLength >= start + length ? memory : new ArrayBuffer(start + length);
  const message = Buffer.from(target, start, length);
  head.copy(message);
  let at = start + head.length;
  for (const [i, tensor] of tensors.entries()) {
    const prefix = prefixes[i];
    if (prefix !== undefined) message.set(prefix, at - start);
    at += prefix?.length ?? 0;
    for (const part of tensor.parts) {
      part.write(target, at);
      at += part.byteLength;
    }
  }
  return message;
}

/** Serialises a request whose tensors lie in a registered shared region, one after the other from its beginning. */
export function encodeWithRegion(
  request: Omit<ModelInferRequest, 'inputs'>,
  tensors: readonly BatchTensor[],
  region: string,
): Buffer {
  let offset = 0;
  const inputs = tensors.map(({ name, datatype, shape, byteLength }): InferInputTensor => {
    const parameters = {
      shared_memory_region: { stringParam: region },
      shared_memory_byte_size: { int64Param: byteLength },
      shared_memory_offset: { int64Param: offset },
    };
    offset += byteLength;
    return { name, datatype, shape, parameters };
  });
  return inferenceService().ModelInfer.requestSerialize({ ...request, inputs });
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
