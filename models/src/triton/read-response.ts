import type { ModelInferResponse } from '@chip-quality/proto';
import { InferenceError } from '../errors.ts';
import { OUTPUT_NAME } from '../onnx-messages.ts';
import { DETECTION_COLUMNS } from '../read-detections.ts';

/**
 * The detections of an answer, images × rows × 6, in memory of their own. Throws `InferenceError` (`bad-output`) when
 * name, datatype, shape or length are not what the contract says: a Triton with a wrong numpy answers the right shape
 * with no bytes at all.
 */
export function readResponse(response: ModelInferResponse, images: number): Float32Array<ArrayBuffer> {
  const index = response.outputs.findIndex(({ name }) => name === OUTPUT_NAME);
  const output = response.outputs[index];
  const raw = response.rawOutputContents[index];
  if (output === undefined || raw === undefined) {
    const names = response.outputs.map(({ name }) => name).join(', ');
    throw new InferenceError('bad-output', `the model answered ${names || 'nothing'}, not ${OUTPUT_NAME}`);
  }
  const { datatype, shape } = output;
  const bytes = shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
  if (datatype !== 'FP32' || shape.length !== 3 || shape[0] !== images || shape[2] !== DETECTION_COLUMNS) {
    const wanted = `FP32 [${images}, N, ${DETECTION_COLUMNS}]`;
    throw new InferenceError('bad-output', `the model answered ${datatype} [${shape.join(', ')}], not ${wanted}`);
  }
  if (raw.length !== bytes) {
    throw new InferenceError('bad-output', `${raw.length} bytes for a tensor of [${shape.join(', ')}], not ${bytes}`);
  }
  // A copy: the bytes of the message begin anywhere, floats only at multiples of four.
  const rows = new Uint8Array(bytes);
  rows.set(raw);
  return new Float32Array(rows.buffer);
}
