import type { ModelInferResponse } from '@chip-quality/proto';
import { InferenceError } from '../../errors.ts';
import { OUTPUT_NAME } from '../onnx/onnx-messages.ts';
import { DETECTION_COLUMNS, OPINION_COLUMNS } from '../read-detections.ts';

/** The ensemble's output beside the detections. */
const OPINIONS_NAME = 'second_opinions';

/** What a served model has answered. */
export interface BatchAnswer {
  /** Images × rows × 6. */
  readonly rows: Float32Array<ArrayBuffer>;
  /** Images × rows × 2; absent: the model gives none. */
  readonly opinions?: Float32Array<ArrayBuffer>;
}

/** The detections of an answer, and the second opinions if it has any. Throws as {@link readFloats}. */
export function readResponse(response: ModelInferResponse, images: number): BatchAnswer {
  const rows = readFloats(response, OUTPUT_NAME, [images, undefined, DETECTION_COLUMNS]);
  if (response.outputs.every(({ name }) => name !== OPINIONS_NAME)) return { rows };
  const rowCount = rows.length / (images * DETECTION_COLUMNS);
  return { rows, opinions: readFloats(response, OPINIONS_NAME, [images, rowCount, OPINION_COLUMNS]) };
}

/**
 * One tensor of an answer, in memory of its own; `wanted` is its shape, undefined for any size. Throws `InferenceError`
 * (`bad-output`) when name, datatype, shape or length are not what the contract says: a Triton with a wrong numpy answers
 * the right shape with no bytes at all.
 */
export function readFloats(
  response: ModelInferResponse,
  wantedName: string,
  wanted: readonly (number | undefined)[],
): Float32Array<ArrayBuffer> {
  const index = response.outputs.findIndex(({ name }) => name === wantedName);
  const output = response.outputs[index];
  const raw = response.rawOutputContents[index];
  if (output === undefined || raw === undefined) {
    const names = response.outputs.map(({ name }) => name).join(', ');
    throw new InferenceError('bad-output', `the model answered ${names || 'nothing'}, not ${wantedName}`);
  }
  const { datatype, shape } = output;
  const bytes = shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
  const isWanted = shape.length === wanted.length && wanted.every((size, i) => size === undefined || size === shape[i]);
  if (datatype !== 'FP32' || !isWanted) {
    const shown = `FP32 [${wanted.map((size) => size ?? 'N').join(', ')}]`;
    throw new InferenceError('bad-output', `the model answered ${datatype} [${shape.join(', ')}], not ${shown}`);
  }
  if (raw.length !== bytes) {
    throw new InferenceError('bad-output', `${raw.length} bytes for a tensor of [${shape.join(', ')}], not ${bytes}`);
  }
  // A copy: the bytes of the message begin anywhere, floats only at multiples of four.
  const floats = new Uint8Array(bytes);
  floats.set(raw);
  return new Float32Array(floats.buffer);
}
