import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeJpeg, generateBoard } from '../src/boards/index.ts';
import { decodeImage, IMAGE_PIXELS, InvalidImageError } from '../src/index.ts';

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

function pngOf(width: number, height: number, data: Uint8Array): Buffer {
  const chunk = (type: string, body: Uint8Array) => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, 'latin1');
    out.set(body, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(data)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe('decodeImage', () => {
  test('gives back greyscale bytes of a JPEG', async () => {
    expect((await decodeImage(await encodeJpeg(board.image))).length).toBe(IMAGE_PIXELS);
  });

  test('takes colour and transparency, and gives back the same bytes for a lossless file', async () => {
    const raw = sharp(board.image, { raw: { width: 640, height: 640, channels: 1 } });
    const png = await raw.clone().png().toBuffer();
    expect(Buffer.compare(await decodeImage(png), board.image)).toBe(0);
    const rgba = await raw.clone().toColourspace('srgb').ensureAlpha(1).png().toBuffer();
    expect(Buffer.compare(await decodeImage(rgba), board.image)).toBe(0);
  });

  test('refuses what has no one way to eight bits of grey: CMYK, 16 bits, several images in one file', async () => {
    const raw = sharp(board.image, { raw: { width: 640, height: 640, channels: 1 } });
    const page = await raw.clone().png().toBuffer();
    const other = await raw.clone().negate().png().toBuffer();
    expect(await reasonOf(await raw.clone().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer())).toBe(
      'colour-space',
    );
    expect(await reasonOf(await raw.clone().toColourspace('grey16').png().toBuffer())).toBe('bit-depth');
    expect(await reasonOf(await raw.clone().toColourspace('rgb16').png().toBuffer())).toBe('bit-depth');
    const pages = sharp([page, other], { join: { animated: true } });
    expect(await reasonOf(await pages.clone().webp().toBuffer())).toBe('animated');
    expect(await reasonOf(await pages.clone().tiff().toBuffer())).toBe('animated');
  });

  test('refuses no bytes at all', async () => {
    expect(await reasonOf(new Uint8Array())).toBe('empty');
  });

  test('refuses bytes that are not an image', async () => {
    expect(await reasonOf(Buffer.from('not an image, whatever its name says'))).toBe('not-an-image');
    expect(await reasonOf(Buffer.alloc(5000, 0xff))).toBe('not-an-image');
  });

  test('refuses SVG, which can be more than pixels', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="640"><rect/></svg>';
    expect(await reasonOf(Buffer.from(svg))).toBe('not-an-image');
  });

  test('refuses a JPEG cut off anywhere', async () => {
    const jpeg = await encodeJpeg(board.image);
    for (const share of [0.05, 0.3, 0.7, 0.98]) {
      const reason = await reasonOf(jpeg.subarray(0, Math.floor(jpeg.length * share)));
      expect(['corrupt', 'not-an-image'], `cut at ${share}`).toContain(reason);
    }
  });

  test('refuses another size', async () => {
    const small = sharp({ create: { width: 639, height: 640, channels: 3, background: 'white' } });
    expect(await reasonOf(await small.jpeg().toBuffer())).toBe('wrong-size');
  });

  test('refuses a decompression bomb by its header, without decoding it', async () => {
    const bomb = pngOf(50_000, 50_000, new Uint8Array(1000));
    const before = process.memoryUsage().rss;
    expect(await reasonOf(bomb)).toBe('too-large');
    expect(await reasonOf(pngOf(7_000, 7_000, new Uint8Array(1000)))).toBe('wrong-size');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('refuses a file larger than any honest one', async () => {
    expect(await reasonOf(new Uint8Array(9 * 1024 * 1024))).toBe('too-large');
  });
});
