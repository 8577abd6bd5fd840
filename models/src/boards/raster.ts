import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';

/** Pixel value of copper: DeepPCB's scans show it dark. */
export const COPPER = 0;
/** Pixel value of the bare board. */
export const BARE = 255;

/** A point in pixels; fractions allowed. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An empty (bare) image. */
export function blankImage(value: number = BARE): Uint8Array {
  return new Uint8Array(IMAGE_PIXELS).fill(value);
}

/** The pixel at whole coordinates, or `undefined` outside the image. */
export function pixelAt(image: Uint8Array, x: number, y: number): number | undefined {
  if (x < 0 || y < 0 || x >= IMAGE_SIDE_PX || y >= IMAGE_SIDE_PX) return undefined;
  return image[y * IMAGE_SIDE_PX + x];
}

/** Fills an axis-parallel rectangle; what lies outside the image is cut off. */
export function fillRect(image: Uint8Array, x: number, y: number, width: number, height: number, value: number): void {
  const x1 = Math.max(0, Math.round(x));
  const x2 = Math.min(IMAGE_SIDE_PX, Math.round(x + width));
  const y2 = Math.min(IMAGE_SIDE_PX, Math.round(y + height));
  if (x2 <= x1) return;
  for (let row = Math.max(0, Math.round(y)); row < y2; row += 1) {
    image.fill(value, row * IMAGE_SIDE_PX + x1, row * IMAGE_SIDE_PX + x2);
  }
}

/** Fills every pixel whose centre lies within `radius` of `centre`; what lies outside the image is cut off. */
export function fillDisc(image: Uint8Array, centre: Point, radius: number, value: number): void {
  const top = Math.max(0, Math.ceil(centre.y - radius));
  const bottom = Math.min(IMAGE_SIDE_PX - 1, Math.floor(centre.y + radius));
  for (let y = top; y <= bottom; y += 1) {
    const half = Math.sqrt(radius * radius - (y - centre.y) ** 2);
    const left = Math.max(0, Math.ceil(centre.x - half));
    const right = Math.min(IMAGE_SIDE_PX - 1, Math.floor(centre.x + half));
    if (right >= left) image.fill(value, y * IMAGE_SIDE_PX + left, y * IMAGE_SIDE_PX + right + 1);
  }
}

/** Fills a convex polygon given in either turning order. */
function fillConvex(image: Uint8Array, corners: readonly Point[], value: number): void {
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const { y } of corners) {
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const last = Math.min(IMAGE_SIDE_PX - 1, Math.floor(bottom));
  for (let y = Math.max(0, Math.ceil(top)); y <= last; y += 1) {
    let left = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < corners.length; i += 1) {
      const a = corners[i] as Point;
      const b = corners[(i + 1) % corners.length] as Point;
      if (y < Math.min(a.y, b.y) || y > Math.max(a.y, b.y)) continue;
      const x = a.y === b.y ? a.x : a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
      left = Math.min(left, x, a.y === b.y ? b.x : x);
      right = Math.max(right, x, a.y === b.y ? b.x : x);
    }
    const from = Math.max(0, Math.ceil(left));
    const to = Math.min(IMAGE_SIDE_PX - 1, Math.floor(right));
    if (to >= from) image.fill(value, y * IMAGE_SIDE_PX + from, y * IMAGE_SIDE_PX + to + 1);
  }
}

/** Draws a straight track of the given width with round ends. */
function strokeLine(image: Uint8Array, from: Point, to: Point, width: number, value: number): void {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length > 0) {
    const nx = (-(to.y - from.y) / length) * (width / 2);
    const ny = ((to.x - from.x) / length) * (width / 2);
    fillConvex(
      image,
      [
        { x: from.x + nx, y: from.y + ny },
        { x: to.x + nx, y: to.y + ny },
        { x: to.x - nx, y: to.y - ny },
        { x: from.x - nx, y: from.y - ny },
      ],
      value,
    );
  }
  fillDisc(image, from, width / 2, value);
  fillDisc(image, to, width / 2, value);
}

/** Draws a chain of tracks. */
export function strokePath(image: Uint8Array, points: readonly Point[], width: number, value: number): void {
  for (let i = 1; i < points.length; i += 1) {
    strokeLine(image, points[i - 1] as Point, points[i] as Point, width, value);
  }
}

/** Whether every sampled pixel of a disc that lies inside the image has the value. */
export function isDiscOf(image: Uint8Array, centre: Point, radius: number, value: number): boolean {
  const step = Math.max(1, Math.floor(radius / 6));
  for (let dy = -radius; dy <= radius; dy += step) {
    for (let dx = -radius; dx <= radius; dx += step) {
      if (dx * dx + dy * dy > radius * radius) continue;
      const found = pixelAt(image, Math.round(centre.x + dx), Math.round(centre.y + dy));
      if (found !== undefined && found !== value) return false;
    }
  }
  return true;
}

/** The image turned over its main diagonal. */
export function transpose(image: Uint8Array): Uint8Array {
  const turned = new Uint8Array(IMAGE_PIXELS);
  for (let y = 0; y < IMAGE_SIDE_PX; y += 1) {
    for (let x = 0; x < IMAGE_SIDE_PX; x += 1) {
      turned[x * IMAGE_SIDE_PX + y] = image[y * IMAGE_SIDE_PX + x] as number;
    }
  }
  return turned;
}
