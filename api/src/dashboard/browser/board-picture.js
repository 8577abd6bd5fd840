// @ts-check
import { element, svgElement } from './element.js';

/** @typedef {import('./messages.d.ts').Board} Board */
/** @typedef {import('./messages.d.ts').Defect} Defect */
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

/**
 * @param {readonly Defect[]} defects
 * @param {number} width
 * @param {number} height
 * @param {number} textShare
 */
function overlay(defects, width, height, textShare) {
  const svg = svgElement('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', class: 'overlay' });
  for (const defect of defects) svg.append(defectBox(defect, width, textShare));
  return svg;
}

/**
 * @param {Defect} defect
 * @param {number} pictureWidth
 * @param {number} textShare
 */
function defectBox(defect, pictureWidth, textShare) {
  const margin = BOX_MARGIN * pictureWidth;
  const sizeMin = BOX_SIZE_MIN * pictureWidth;
  const { location } = defect;
  const width = Math.max(location.width + 2 * margin, sizeMin);
  const height = Math.max(location.height + 2 * margin, sizeMin);
  const x = location.x + location.width / 2 - width / 2;
  const y = location.y + location.height / 2 - height / 2;

  const textSize = textShare * pictureWidth;
  const label = `${defect.label} ${percent(defect.confidence)}`;
  // Wide enough for the widest of the system fonts: 0.66 em a character.
  const labelWidth = label.length * textSize * 0.66 + textSize * 0.6;
  const labelHeight = textSize * 1.35;
  const labelX = Math.max(0, Math.min(x, pictureWidth - labelWidth));
  const labelY = y > labelHeight ? y - labelHeight : y + height;
  return svgElement(
    'g',
    { class: `defect severity-${/^\w+$/.test(defect.severity) ? defect.severity : 'unknown'}` },
    svgElement('rect', { class: 'box', 'data-testid': 'defect-box', x, y, width, height, rx: margin / 2 }),
    svgElement('rect', { class: 'tag', x: labelX, y: labelY, width: labelWidth, height: labelHeight, rx: margin / 2 }),
    svgElement('text', { x: labelX + textSize * 0.3, y: labelY + textSize * 1.02, 'font-size': textSize }, label),
  );
}

/** @param {string} text */
function placeholder(text) {
  return element('div', { class: 'placeholder' }, text);
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 100)}%`;
}
