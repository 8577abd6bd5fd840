import { IMAGE_SIDE_PX } from '@chip-quality/schemas';
import sharp from 'sharp';

/** High enough that ringing at the copper's edges stays below the difference a defect makes. */
const QUALITY = 90;

/** A 640 × 640 greyscale image as JPEG; runs on libuv's pool. */
export async function encodeJpeg(image: Uint8Array): Promise<Uint8Array> {
  return sharp(image, { raw: { width: IMAGE_SIDE_PX, height: IMAGE_SIDE_PX, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: QUALITY })
    .toBuffer();
}
