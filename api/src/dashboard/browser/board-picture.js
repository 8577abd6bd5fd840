// @ts-check
import { element, svgElement } from './element.js';

/** @typedef {import('@chip-quality/schemas').BoardView} Board */
/** @typedef {import('@chip-quality/schemas').DefectView} Defect */
/** @typedef {import('./board-images.js').BoardImages} BoardImages */

/** Share of the picture's width by which a box stands off its defect, which may be a few pixels small. */
const BOX_MARGIN = 0.008;
/** A box is never drawn smaller than this share of the picture, or nobody would see it. */
const BOX_SIZE_MIN = 0.03;

/**
 * A board's image with its defects drawn over it. Boxes are in pixels of the image, so the overlay's coordinate system
 * is the image's own size, known once it has loaded.
 *
 * @param {Board} board
 * @param {BoardImages} images
 * @param {number} textShare height of the labels as a share of the picture's width
 */
export function boardPicture(board, images, textShare) {
  const frame = element('div', { class: 'picture' });
  if (board.artifact_id === null) {
    frame.append(placeholder(board.failure_reason === null ? 'No image' : 'No usable image'));
    return frame;
  }
  const image = element('img', { alt: describe(board), decoding: 'async' });
  image.addEventListener('load', () => {
    frame.append(overlay(board.defects, image.naturalWidth, image.naturalHeight, textShare));
  });
  image.addEventListener('error', () => frame.replaceChildren(placeholder('Image not readable')));
  images.address(board.inspection_id, board.artifact_id).then(
    (url) => {
      image.src = url;
    },
    () => frame.replaceChildren(placeholder('Image not available')),
  );
  frame.append(image);
  return frame;
}

/** @param {Board} board */
function describe(board) {
  const found = board.defects.map((defect) => `${defect.label} ${percent(defect.confidence)}`).join(', ');
  return `Board ${board.chip_id}${found === '' ? '' : `: ${found}`}`;
}

/** @typedef {{ x: number, y: number, width: number, height: number }} Rectangle */

/**
 * @param {readonly Defect[]} defects
 * @param {number} width
 * @param {number} height
 * @param {number} textShare
 */
function overlay(defects, width, height, textShare) {
  const svg = svgElement('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', class: 'overlay' });
  const boxes = defects.map((defect) => boxAround(defect, width));
  const textSize = textShare * width;
  /** @type {Rectangle[]} */
  const tags = [];
  defects.forEach((defect, index) => {
    const box = /** @type {Rectangle} */ (boxes[index]);
    const label = `${defect.label} ${percent(defect.confidence)}`;
    // Wide enough for the widest of the system fonts: 0.66 em a character.
    const size = { width: label.length * textSize * 0.66 + textSize * 0.6, height: textSize * 1.35 };
    const tag = placeTag(box, size, { x: 0, y: 0, width, height }, [
      ...tags,
      ...boxes.filter((other) => other !== box),
    ]);
    tags.push(tag);
    svg.append(
      svgElement(
        'g',
        { class: `severity-${/^\w+$/.test(defect.severity) ? defect.severity : 'unknown'}` },
        svgElement('rect', { class: 'box', 'data-testid': 'defect-box', ...box }),
        svgElement('rect', { class: 'tag', ...tag }),
        svgElement('text', { x: tag.x + textSize * 0.3, y: tag.y + textSize * 1.02, 'font-size': textSize }, label),
      ),
    );
  });
  return svg;
}

/**
 * @param {Defect} defect
 * @param {number} pictureWidth
 * @returns {Rectangle}
 */
function boxAround({ location }, pictureWidth) {
  const margin = BOX_MARGIN * pictureWidth;
  const sizeMin = BOX_SIZE_MIN * pictureWidth;
  const width = Math.max(location.width + 2 * margin, sizeMin);
  const height = Math.max(location.height + 2 * margin, sizeMin);
  return {
    x: location.x + location.width / 2 - width / 2,
    y: location.y + location.height / 2 - height / 2,
    width,
    height,
  };
}

/**
 * Puts a label beside its box: above, below, right or left, wherever it covers nothing; above if it must cover something.
 *
 * @param {Rectangle} box
 * @param {{ width: number, height: number }} size
 * @param {Rectangle} picture
 * @param {readonly Rectangle[]} taken
 * @returns {Rectangle}
 */
function placeTag(box, size, picture, taken) {
  const inside = (/** @type {number} */ x, /** @type {number} */ y) => ({
    ...size,
    x: Math.max(0, Math.min(x, picture.width - size.width)),
    y: Math.max(0, Math.min(y, picture.height - size.height)),
  });
  const above = inside(box.x, box.y - size.height);
  const candidates = [
    above,
    inside(box.x, box.y + box.height),
    inside(box.x + box.width, box.y),
    inside(box.x - size.width, box.y),
    inside(box.x + box.width - size.width, box.y - size.height),
    inside(box.x + box.width - size.width, box.y + box.height),
  ];
  const covers = (/** @type {Rectangle} */ tag) => [box, ...taken].some((other) => overlaps(tag, other));
  return candidates.find((tag) => !covers(tag)) ?? above;
}

/**
 * @param {Rectangle} a
 * @param {Rectangle} b
 */
function overlaps(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** @param {string} text */
function placeholder(text) {
  return element('div', { class: 'placeholder' }, text);
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 100)}%`;
}
