import { type DetectorInput, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { fillImage, TENSOR_LENGTH } from '../../images/board-tensor.ts';
import { INPUT_NAME } from '../onnx/onnx-messages.ts';
import type { TritonTransport } from './messages.ts';

/** One image's share of a tensor: so many bytes, written to `target` at `offset` (a multiple of four for FP32). */
interface TensorPart {
  readonly byteLength: number;
  readonly write: (target: ArrayBuffer, offset: number) => void;
}

/** One input of a request whose bytes are yet to be written. */
export interface BatchTensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'BYTES';
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly parts: readonly TensorPart[];
}

/** The ensemble's input for golden images. */
export const GOLDEN_INPUT = 'golden';
const NONE = new Uint8Array();
/** Each element of a BYTES tensor is led by its length, 32 bits, little-endian. */
const LENGTH_BYTES = 4;

/**
 * The inputs that a batch becomes. `packed` holds board and golden of every image one after the other, `lengths` two
 * numbers an image (0: no golden). Without `takesGolden` the ensemble has no input for golden images.
 */
export function batchTensors(
  transport: TritonTransport,
  packed: Uint8Array,
  lengths: readonly number[],
  takesGolden = true,
): BatchTensor[] {
  const images = imagesOf(packed, lengths);
  if (transport !== 'fp32') {
    return [
      bytesTensor(
        'board',
        images.map(({ board }) => board),
      ),
      ...(takesGolden
        ? [
            bytesTensor(
              GOLDEN_INPUT,
              images.map(({ golden = NONE }) => golden),
            ),
          ]
        : []),
    ];
  }
  const parts = images.map(
    ({ board, golden }): TensorPart => ({
      byteLength: TENSOR_LENGTH * Float32Array.BYTES_PER_ELEMENT,
      write: (target, offset) => fillImage(new Float32Array(target, offset, TENSOR_LENGTH), board, golden),
    }),
  );
  const shape = [images.length, TENSOR_LENGTH / IMAGE_SIDE_PX ** 2, IMAGE_SIDE_PX, IMAGE_SIDE_PX];
  return [{ name: INPUT_NAME, datatype: 'FP32', shape, byteLength: byteLengthOf(parts), parts }];
}

/** The images of a batch as they were packed, without a copy. */
export function imagesOf(packed: Uint8Array, lengths: readonly number[]): DetectorInput[] {
  const images: DetectorInput[] = [];
  let at = 0;
  for (let i = 0; i < lengths.length; i += 2) {
    const [boardLength = 0, goldenLength = 0] = lengths.slice(i, i + 2);
    const board = packed.subarray(at, at + boardLength);
    const golden = packed.subarray(at + boardLength, at + boardLength + goldenLength);
    images.push({ board, golden: goldenLength === 0 ? undefined : golden });
    at += boardLength + goldenLength;
  }
  return images;
}

function bytesTensor(name: string, elements: readonly Uint8Array[]): BatchTensor {
  const parts = elements.map(
    (element): TensorPart => ({
      byteLength: LENGTH_BYTES + element.length,
      write: (target, offset) => {
        new DataView(target).setUint32(offset, element.length, true);
        new Uint8Array(target).set(element, offset + LENGTH_BYTES);
      },
    }),
  );
  return { name, datatype: 'BYTES', shape: [elements.length, 1], byteLength: byteLengthOf(parts), parts };
}

function byteLengthOf(parts: readonly TensorPart[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
