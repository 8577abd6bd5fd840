import { type DetectorInput, IMAGE_BYTES_MAX, IMAGE_PIXELS } from '@chip-quality/schemas';
import { InferenceError } from '../../errors.ts';
import type { SenderSettings, SendRequest } from './messages.ts';

type Manner = Pick<SenderSettings, 'transport' | 'takesGolden'>;

/** Throws `InferenceError` (`bad-input`) for a batch that is too large, and for images that the transport cannot carry. */
export function checkBatch(batch: readonly DetectorInput[], maxBatchSize: number, manner: Manner): void {
  if (batch.length > maxBatchSize) {
    throw new InferenceError('bad-input', `${batch.length} images, more than ${maxBatchSize}`);
  }
  for (const image of batch.flatMap((input) => sent(input, manner))) {
    if (manner.transport !== 'jpeg') {
      if (image.length !== IMAGE_PIXELS) {
        throw new InferenceError('bad-input', `an image is not ${IMAGE_PIXELS} bytes long`);
      }
    } else if (image.length === 0 || image.length > IMAGE_BYTES_MAX) {
      throw new InferenceError('bad-input', `a file of ${image.length} bytes is no image`);
    }
  }
}

/** Copies a batch's images into one buffer, for the sending thread: `batchTensors` takes them apart again. */
export function packBatch(
  batch: readonly DetectorInput[],
  manner: Manner,
  takeBuffer: (bytes: number) => ArrayBuffer,
): Pick<SendRequest, 'packed' | 'lengths'> {
  const images = batch.map((input) => sent(input, manner));
  const lengths = images.flatMap(([board, golden]) => [lengthOf(board, manner), lengthOf(golden, manner)]);
  const packed = new Uint8Array(takeBuffer(lengths.reduce((sum, length) => sum + length, 0)));
  let at = 0;
  for (const image of images.flat()) {
    packed.set(image, at);
    at += lengthOf(image, manner);
  }
  return { packed, lengths };
}

/** The images that travel: a model for boards alone is not sent golden images. */
function sent({ board, golden }: DetectorInput, { takesGolden }: Manner): readonly Uint8Array[] {
  return golden === undefined || !takesGolden ? [board] : [board, golden];
}

function lengthOf(image: Uint8Array | undefined, { transport }: Manner): number {
  const length = image?.length ?? 0;
  // The ensemble takes exactly so many bytes for pixels; decoders do not mind a byte after a file's end.
  return transport === 'jpeg' && length === IMAGE_PIXELS ? length + 1 : length;
}
