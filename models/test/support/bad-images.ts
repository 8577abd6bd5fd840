import { crc32, deflateSync } from 'node:zlib';
import type { InvalidImageReason } from '@chip-quality/schemas';
import sharp, { type Sharp } from 'sharp';
import { encodeJpeg, generateBoard } from '../../src/boards/index.ts';

const SIDE = 640;
const board = generateBoard({ seed: 1, partSeed: 1, defective: true }).image;

/** The board of these files, as sharp takes it. */
export function boardPixels(): Sharp {
  return sharp(board, { raw: { width: SIDE, height: SIDE, channels: 1 } });
}

/** A file that must be refused. */
export interface BadImage {
  readonly title: string;
  readonly reason: InvalidImageReason;
  readonly make: () => Promise<Uint8Array>;
}

const bad = (title: string, reason: InvalidImageReason, make: () => Uint8Array | Promise<Uint8Array>): BadImage => ({
  title,
  reason,
  make: async () => make(),
});

/** Every kind of file that no decoder of ours may take, with the reason that each must give. */
export const BAD_IMAGES: readonly BadImage[] = [
  bad('no bytes', 'empty', () => new Uint8Array()),
  bad('a letter', 'not-an-image', () => Buffer.from('this is a letter, not a board')),
  bad('zeros', 'not-an-image', () => Buffer.alloc(4_096)),
  bad('the start of a JPEG and nothing behind it', 'not-an-image', () => Buffer.from('ffd8ffe000104a464946', 'hex')),
  bad('an SVG', 'not-an-image', () =>
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="640" height="640"><rect/></svg>'),
  ),
  bad('a GIF', 'not-an-image', () => boardPixels().gif().toBuffer()),
  bad('more bytes than any honest file', 'too-large', () => Buffer.alloc(9 * 1024 * 1024)),
  // Decoding it would take all memory: 2.5 gigapixels.
  bad('a PNG whose header is a bomb', 'too-large', () => png(50_000, 50_000, [])),
  bad('a WebP of 32 bytes and 268 megapixels', 'too-large', hugeWebp),
  bad('a JPEG one pixel too narrow', 'wrong-size', () =>
    plain(SIDE - 1, SIDE)
      .jpeg()
      .toBuffer(),
  ),
  bad('a PNG of 49 megapixels', 'wrong-size', () => png(7_000, 7_000, [])),
  bad('a CMYK JPEG', 'colour-space', () => boardPixels().toColourspace('cmyk').jpeg().toBuffer()),
  bad('a CMYK TIFF', 'colour-space', () => boardPixels().toColourspace('cmyk').tiff().toBuffer()),
  bad('a PNG of 16-bit grey', 'bit-depth', () => boardPixels().toColourspace('grey16').png().toBuffer()),
  bad('a PNG of 16-bit colour', 'bit-depth', () => boardPixels().toColourspace('rgb16').png().toBuffer()),
  bad('a PNG of 16-bit colour with transparency', 'bit-depth', () =>
    boardPixels().toColourspace('rgb16').ensureAlpha().png().toBuffer(),
  ),
  bad('a TIFF of 16-bit grey', 'bit-depth', () => tiff(16, 1)),
  bad('a TIFF of 16-bit colour', 'bit-depth', () => tiff(16, 3)),
  bad('an animated WebP', 'animated', async () => (await flicker()).webp().toBuffer()),
  bad('an animated GIF', 'animated', async () => (await flicker()).gif().toBuffer()),
  bad('an animated PNG', 'animated', animatedPng),
  bad('a TIFF of two pages', 'animated', async () => (await flicker()).tiff().toBuffer()),
  bad('half a JPEG', 'corrupt', async () => shareOf(await encodeJpeg(board), 0.5)),
  bad('nearly all of a JPEG', 'corrupt', async () => shareOf(await encodeJpeg(board), 0.98)),
  bad('a PNG with one wrong bit', 'corrupt', async () => flipBit(await boardPixels().png().toBuffer(), 0.6)),
  bad('a PNG whose end is missing', 'corrupt', async () => shareOf(await boardPixels().png().toBuffer(), 0.999)),
  bad('half a PNG', 'corrupt', async () => shareOf(await boardPixels().png().toBuffer(), 0.5)),
  bad('half a WebP', 'not-an-image', async () => shareOf(await boardPixels().webp({ lossless: true }).toBuffer(), 0.5)),
  bad('a PNG without pixels', 'corrupt', () => png(SIDE, SIDE, [])),
  bad('a PNG with noise for pixels', 'corrupt', () => png(SIDE, SIDE, [['IDAT', Buffer.alloc(5_000, 0xa7)]])),
];

/** Files that both decoders must take, and see the same board in. */
export const GOOD_IMAGES: readonly (readonly [title: string, make: () => Promise<Uint8Array>])[] = [
  ['a grey JPEG', () => encodeJpeg(board)],
  ['a colour JPEG', () => coloured().jpeg().toBuffer()],
  ['a grey PNG', () => boardPixels().png().toBuffer()],
  ['a colour PNG', () => coloured().png().toBuffer()],
  ['a PNG with a palette', () => coloured().png({ palette: true }).toBuffer()],
  ['a half transparent PNG', () => coloured().ensureAlpha(0.5).png().toBuffer()],
  ['a half transparent grey PNG', () => boardPixels().ensureAlpha(0.5).toColourspace('b-w').png().toBuffer()],
  ['a lossless WebP', () => coloured().webp({ lossless: true }).toBuffer()],
  ['a grey TIFF', () => boardPixels().tiff().toBuffer()],
  ['a TIFF of one bit', () => boardPixels().toColourspace('b-w').tiff({ bitdepth: 1 }).toBuffer()],
  ['a PNG with a colour profile', () => coloured().withIccProfile('p3').png().toBuffer()],
];

function shareOf(bytes: Uint8Array, share: number): Uint8Array {
  return bytes.subarray(0, Math.floor(bytes.length * share));
}

function flipBit(bytes: Uint8Array, share: number): Uint8Array {
  const at = Math.floor(bytes.length * share);
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes;
}

function plain(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: 'white' } });
}

function coloured(): Sharp {
  return boardPixels().toColourspace('srgb').tint({ r: 200, g: 90, b: 30 });
}

/** The board and its negative, in turns. */
async function flicker(): Promise<Sharp> {
  const pages = [await boardPixels().png().toBuffer(), await boardPixels().negate().png().toBuffer()];
  return sharp(pages, { join: { animated: true } });
}

type Chunk = readonly [type: string, body: Uint8Array];

/** An 8-bit grey PNG of these chunks, whatever they are. */
function png(width: number, height: number, chunks: readonly Chunk[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const all: Chunk[] = [['IHDR', header], ...chunks];
  if (chunks.length === 0) all.push(['IDAT', Buffer.alloc(0)]);
  all.push(['IEND', Buffer.alloc(0)]);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...all.map(chunk)]);
}

function chunk([type, body]: Chunk): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

/** A lossless WebP that is what it says: a code of one symbol needs no bits, so that pixels cost nothing. */
function hugeWebp(): Buffer {
  const side = 16_383;
  // Fields from the lowest bit on: both sides less one, no alpha, version 0, no transforms, five codes of symbol 0.
  const bits = BigInt(side - 1) | (BigInt(side - 1) << 14n) | (0b0001_0001_0001_0001_0001n << 35n);
  const data = Buffer.alloc(12);
  data[0] = 0x2f;
  data.writeBigUInt64LE(bits, 1);
  const head = Buffer.from('RIFF\0\0\0\0WEBPVP8L\0\0\0\0', 'latin1');
  head.writeUInt32LE(head.length - 8 + data.length, 4);
  head.writeUInt32LE(data.length, 16);
  return Buffer.concat([head, data]);
}

/** An uncompressed TIFF of black pixels. */
function tiff(bitsPerSample: number, samples: 1 | 3): Buffer {
  const LONG = 4;
  const SHORT = 3;
  const bytes = (SIDE * SIDE * samples * bitsPerSample) / 8;
  const entries = [
    [256, LONG, 1, SIDE],
    [257, LONG, 1, SIDE],
    [258, SHORT, samples, bitsPerSample],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, samples === 1 ? 1 : 2],
    [273, LONG, 1, 0],
    [277, SHORT, 1, samples],
    [278, LONG, 1, SIDE],
    [279, LONG, 1, bytes],
  ] as const;
  const depths = 8 + 2 + 12 * entries.length + 4;
  const pixels = depths + 2 * samples;
  const out = Buffer.alloc(pixels + bytes);
  out.write('II*\0\x08\0\0\0', 'latin1');
  out.writeUInt16LE(entries.length, 8);
  for (let i = 0; i < samples; i += 1) out.writeUInt16LE(bitsPerSample, depths + 2 * i);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i;
    out.writeUInt16LE(tag, at);
    out.writeUInt16LE(type, at + 2);
    out.writeUInt32LE(count, at + 4);
    if (tag === 258 && count > 2) out.writeUInt32LE(depths, at + 8);
    else if (tag === 273) out.writeUInt32LE(pixels, at + 8);
    else if (type === SHORT) out.writeUInt16LE(value, at + 8);
    else out.writeUInt32LE(value, at + 8);
  });
  return out;
}

/** Two frames, the first of which is what a decoder shows that knows no animations. */
function animatedPng(): Buffer {
  const rows = (value: number) => deflateSync(Buffer.alloc(SIDE * (SIDE + 1), value));
  const control = (sequence: number) => {
    const body = Buffer.alloc(26);
    body.writeUInt32BE(sequence, 0);
    body.writeUInt32BE(SIDE, 4);
    body.writeUInt32BE(SIDE, 8);
    body.writeUInt16BE(1, 20);
    body.writeUInt16BE(10, 22);
    return body;
  };
  return png(SIDE, SIDE, [
    ['acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])],
    ['fcTL', control(0)],
    ['IDAT', rows(0)],
    ['fcTL', control(1)],
    ['fdAT', Buffer.concat([Buffer.from([0, 0, 0, 2]), rows(0)])],
  ]);
}
