import { IMAGE_PIXELS } from '@chip-quality/schemas';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeJpeg, generateBoard } from '../src/boards/index.ts';
import { checkImage, decodeImage, InvalidImageError } from '../src/index.ts';
import { BAD_IMAGES, boardPixels, GOOD_IMAGES } from './support/bad-images.ts';

const board = generateBoard({ seed: 1, partSeed: 1, defective: true });

async function reasonOf(bytes: Uint8Array): Promise<string> {
  try {
    await decodeImage(bytes);
  } catch (error) {
    if (error instanceof InvalidImageError) return error.reason;
    throw error;
  }
  return 'decoded';
}

describe('decodeImage', () => {
  test('gives back greyscale bytes of a JPEG', async () => {
    expect((await decodeImage(await encodeJpeg(board.image))).length).toBe(IMAGE_PIXELS);
  });

  test('takes colour and transparency, and gives back the same bytes for a lossless file', async () => {
    expect(Buffer.compare(await decodeImage(await boardPixels().png().toBuffer()), board.image)).toBe(0);
    const rgba = await boardPixels().toColourspace('srgb').ensureAlpha(1).png().toBuffer();
    expect(Buffer.compare(await decodeImage(rgba), board.image)).toBe(0);
  });

  test.each(GOOD_IMAGES)('takes %s', async (_title, make) => {
    expect(await reasonOf(await make())).toBe('decoded');
  });

  test('weighs colours as BT.601 does', async () => {
    const red = sharp({ create: { width: 640, height: 640, channels: 3, background: '#ff0000' } });
    expect((await decodeImage(await red.png().toBuffer()))[0]).toBe(76);
  });

  test.each(BAD_IMAGES)('refuses $title: $reason', async ({ reason, make }) => {
    expect(await reasonOf(await make())).toBe(reason);
  });

  test('refuses a JPEG cut off anywhere', async () => {
    const jpeg = await encodeJpeg(board.image);
    for (const share of [0.001, 0.01, 0.05, 0.3, 0.7, 0.98]) {
      const reason = await reasonOf(jpeg.subarray(0, Math.floor(jpeg.length * share)));
      expect(['corrupt', 'not-an-image'], `cut at ${share}`).toContain(reason);
    }
  });

  test('refuses a decompression bomb by its header, without decoding it', async () => {
    const bombs = BAD_IMAGES.filter(({ title }) => /bomb|megapixels/.test(title));
    const files = await Promise.all(bombs.map(({ make }) => make()));
    const before = process.memoryUsage().rss;
    for (const [i, file] of files.entries()) expect(await reasonOf(file)).toBe(bombs[i]?.reason);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('checkImage', () => {
  test.each(BAD_IMAGES.filter(({ reason }) => reason !== 'corrupt'))(
    'refuses $title by its header: $reason',
    async ({ reason, make }) => {
      await expect(checkImage(await make())).rejects.toMatchObject({ name: 'InvalidImageError', reason });
    },
  );

  test.each(GOOD_IMAGES)('passes %s on as it is', async (_title, make) => {
    const bytes = await make();
    expect(await checkImage(bytes)).toBe(bytes);
  });

  test('leaves damage behind the header to who decodes', async () => {
    const jpeg = await encodeJpeg(board.image);
    const half = jpeg.subarray(0, jpeg.length / 2);
    expect(await checkImage(half)).toBe(half);
  });
});
