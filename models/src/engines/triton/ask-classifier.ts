import type { DetectorInput } from '@chip-quality/schemas';
import { InferenceError } from '../../errors.ts';
import { CHANNELS, fillImage, TENSOR_LENGTH } from '../../images/board-tensor.ts';
import { DETECTION_COLUMNS, OPINION_COLUMNS } from '../read-detections.ts';
import {
  CLASSIFIER,
  CROP_LENGTH,
  CROP_SIDE_PX,
  CROPS_NAME,
  cutCrops,
  opinionRows,
  PROBABILITIES_NAME,
  rowsToAsk,
} from '../second-opinion.ts';
import type { BatchTensor } from './batch-tensors.ts';
import type { CallOptions, TritonConnection } from './connection.ts';
import { encodeWithContents } from './encode-request.ts';
import { readFloats } from './read-response.ts';

/** As `max_batch_size` in the classifier's config.pbtxt. */
const CROPS_MAX = 128;

/**
 * The second opinions on a batch's detections (images × rows × 2), for the transport whose answer has none: windows are cut
 * here and sent to the served classifier. Undefined where the server does not serve it, as in a repository without one: a
 * second opinion is not worth a board.
 */
export async function askClassifier(
  connection: TritonConnection,
  images: readonly DetectorInput[],
  rows: Float32Array,
  confidenceThreshold: number,
  options: CallOptions,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  const length = rows.length / images.length;
  const opinions = new Float32Array((rows.length / DETECTION_COLUMNS) * OPINION_COLUMNS);
  const tensor = new Float32Array(TENSOR_LENGTH);
  for (const [i, { board, golden }] of images.entries()) {
    const mine = rows.subarray(i * length, (i + 1) * length);
    const asked = rowsToAsk(mine, confidenceThreshold);
    let probabilities = new Float32Array();
    if (asked.length > 0) {
      fillImage(tensor, board, golden);
      const answer = await classify(connection, cutCrops(tensor, mine, asked), options);
      if (answer === undefined) return undefined;
      probabilities = answer;
    }
    opinions.set(
      opinionRows(length / DETECTION_COLUMNS, asked, probabilities),
      (i * length * OPINION_COLUMNS) / DETECTION_COLUMNS,
    );
  }
  return opinions;
}

async function classify(
  connection: TritonConnection,
  crops: Float32Array,
  options: CallOptions,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  const count = crops.length / CROP_LENGTH;
  if (count > CROPS_MAX) throw new InferenceError('bad-output', `${count} detections on one board`);
  const part = {
    byteLength: crops.byteLength,
    write: (target: ArrayBuffer, offset: number) => new Float32Array(target, offset, crops.length).set(crops),
  };
  const shape = [count, CHANNELS, CROP_SIDE_PX, CROP_SIDE_PX];
  const tensor: BatchTensor = {
    name: CROPS_NAME,
    datatype: 'FP32',
    shape,
    byteLength: crops.byteLength,
    parts: [part],
  };
  try {
    const response = await connection.infer(encodeWithContents({ modelName: CLASSIFIER }, [tensor]), options);
    return readFloats(response, PROBABILITIES_NAME, [count, undefined]);
  } catch (error) {
    if (error instanceof InferenceError && error.reason === 'model-not-loaded') return undefined;
    throw error;
  }
}
