import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { describe, expect, test } from 'vitest';
import { CROP_LENGTH, CROP_SIDE_PX, cutCrops, opinionRows, rowsToAsk } from '../src/engines/second-opinion.ts';
import { TENSOR_LENGTH } from '../src/images/board-tensor.ts';

/** Channel 0 tells the column of a pixel, channel 1 its row, channel 2 nothing. */
const image = new Float32Array(TENSOR_LENGTH);
for (let i = 0; i < IMAGE_PIXELS; i += 1) {
  image[i] = i % IMAGE_SIDE_PX;
  image[IMAGE_PIXELS + i] = Math.floor(i / IMAGE_SIDE_PX);
}
const row = (x1: number, y1: number, x2: number, y2: number, confidence = 0.9) => [x1, y1, x2, y2, confidence, 0];

/** Where a crop begins and ends in the image: first and last column, first and last row. */
function edgesOf(...box: [number, number, number, number]): number[] {
  const crop = cutCrops(image, Float32Array.from(row(...box)), [0]);
  const [last, plane] = [CROP_SIDE_PX - 1, CROP_SIDE_PX ** 2];
  return [crop[0], crop[last], crop[plane], crop[2 * plane - 1]] as number[];
}

describe('the window around a detection', () => {
  test('is 64 px around the centre of a small box, taken as it is', () => {
    expect(edgesOf(110, 210, 130, 240)).toEqual([88, 151, 193, 256]);
  });

  test('is moved into the image at its edges', () => {
    expect(edgesOf(0, 0, 10, 10)).toEqual([0, 63, 0, 63]);
    expect(edgesOf(630, 600, 640, 640)).toEqual([576, 639, 576, 639]);
  });

  test('is rounded to the even pixel from the middle of two, as Python does', () => {
    expect(edgesOf(100, 101, 101, 102)).toEqual([68, 131, 70, 133]);
  });

  test('is a quarter longer than the longer side of a large box, and resized bilinearly', () => {
    // 128 px a side: each pixel of the crop is the mean of two.
    expect(edgesOf(248.8, 290, 351.2, 310)).toEqual([236.5, 362.5, 236.5, 362.5]);
    expect(edgesOf(0, 0, 640, 640)).toEqual([4.5, 634.5, 4.5, 634.5]);
  });

  test('is cut for each row that is asked about', () => {
    const rows = Float32Array.from([...row(0, 0, 1, 1), ...row(110, 210, 130, 240), ...row(300, 300, 301, 301)]);
    const crops = cutCrops(image, rows, [1, 2]);
    expect(crops).toHaveLength(2 * CROP_LENGTH);
    expect(crops[0]).toBe(88);
    expect(crops[CROP_LENGTH]).toBe(268);
  });
});

describe('the classifier', () => {
  test('is asked about rows from the caller’s threshold on, and never below a tenth', () => {
    const rows = Float32Array.from([0.9, 0.43, 0.2, 0.1, 0.05].flatMap((confidence) => row(0, 0, 9, 9, confidence)));
    expect(rowsToAsk(rows, 0.43)).toEqual([0, 1]);
    expect(rowsToAsk(rows, 0)).toEqual([0, 1, 2, 3]);
  });

  test('has its likeliest class put beside the row; the other rows say that nobody was asked', () => {
    const opinions = opinionRows(3, [0, 2], Float32Array.from([0.25, 0.75, 0, 0.5, 0, 0.5]));
    expect([...opinions]).toEqual([1, 0.75, -1, 0, 0, 0.5]);
    expect([...opinionRows(2, [], new Float32Array())]).toEqual([-1, 0, -1, 0]);
  });
});
