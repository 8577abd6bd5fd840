// @ts-check
import { boardPicture } from './board-picture.js';
import { element, lineTitle } from './element.js';

/** @typedef {import('@chip-quality/schemas').BoardView} Board */
/** @typedef {import('@chip-quality/schemas').DefectView} Defect */
/** @typedef {import('./board-images.js').BoardImages} BoardImages */

/** Cards are swapped at this pace at most: faster, nobody can look at one, and images load for nothing. */
const REFRESH_MS = 1_500;
const CARD_TEXT_SHARE = 0.042;
const DETAIL_TEXT_SHARE = 0.022;

/** Why an inference failed, in words. Reasons that are not here are shown as they come. */
const REASONS = /** @type {Record<string, string>} */ ({
  'invalid_image:empty': 'The upload is empty',
  'invalid_image:not-an-image': 'The upload is not an image',
  'invalid_image:corrupt': 'The image file is damaged or cut short',
  'invalid_image:wrong-size': 'The image has the wrong size',
  'invalid_image:too-large': 'The image is too large',
  'invalid_image:colour-space': 'The image is neither grey nor RGB',
  'invalid_image:bit-depth': 'The image has more than 8 bits a colour',
  'invalid_image:animated': 'The file holds several images',
  object_not_found: 'The image is missing from the store',
  object_too_large: 'The image file is too large',
  artifact_changed: 'The image was replaced after its confirmation',
  object_store_unavailable: 'The image store did not answer',
  'inference_failed:bad-output': 'The model gave an answer that is none',
  'inference_failed:model-not-loaded': 'The model is not loaded',
  'inference_failed:unavailable': 'The model did not answer',
  'inference_failed:timeout': 'The model took too long',
  internal_error: 'An error inside the platform',
});
/** The reason is about the part's golden image, not about the board's. */
const GOLDEN_PREFIX = 'golden_';

/**
 * A strip of board cards, newest first.
 *
 * Owns: its list element; the boards waiting for the next refresh.
 * Invariant: at most `cardsMax` cards, at most one refresh per {@link REFRESH_MS}, none while paused or hidden.
 */
export class BoardCards {
  /** @type {Board[]} */
  #boards = [];
  #shown = '';
  #refreshedAtMs = 0;
  isPaused = false;
  #list;
  #images;
  #cardsMax;
  #onOpen;

  /**
   * @param {HTMLElement} list
   * @param {BoardImages} images
   * @param {number} cardsMax
   * @param {(board: Board) => void} onOpen
   */
  constructor(list, images, cardsMax, onOpen) {
    this.#list = list;
    this.#images = images;
    this.#cardsMax = cardsMax;
    this.#onOpen = onOpen;
  }

  /** @param {Board} board */
  add(board) {
    this.#boards.unshift(board);
    this.#boards.length = Math.min(this.#boards.length, this.#cardsMax);
  }

  clear() {
    this.#boards = [];
  }

  /** Shows what has come, if it is time to. */
  refresh() {
    const nowMs = performance.now();
    if (this.isPaused || document.hidden || nowMs - this.#refreshedAtMs < REFRESH_MS) return;
    const wanted = this.#boards.map(cardKey);
    if (wanted.join() === this.#shown) return;
    this.#refreshedAtMs = nowMs;
    this.#shown = wanted.join();
    const present = new Map([...this.#list.children].map((card) => [card.getAttribute('data-key') ?? '', card]));
    const cards = this.#boards.map((board) => present.get(cardKey(board)) ?? this.#card(board));
    this.#list.replaceChildren(...cards);
  }

  /** @param {Board} board */
  #card(board) {
    const badge = verdictBadge(board);
    const open = element('button', {
      type: 'button',
      class: 'card-open',
      'aria-label': `Look at board ${board.chip_id}`,
    });
    open.addEventListener('click', () => this.#onOpen(board));
    return element(
      'li',
      {
        class: `card ${badge.kind}`,
        'data-testid': 'board-card',
        'data-key': cardKey(board),
        'data-verdict': badge.kind,
      },
      boardPicture(board, this.#images, CARD_TEXT_SHARE),
      element(
        'div',
        { class: 'card-text' },
        element('div', { class: 'card-head' }, badge.node, element('span', { class: 'chip' }, board.chip_id)),
        element('p', { class: 'card-findings' }, findings(board)),
        element(
          'p',
          { class: 'card-facts' },
          element('span', {}, lineTitle(board.line_id)),
          element('span', {}, `${(board.latency_ms / 1000).toFixed(2)} s`),
          element('time', { datetime: board.completed_at }, new Date(board.completed_at).toLocaleTimeString()),
        ),
      ),
      open,
    );
  }
}

/**
 * Fills the dialog with one board, large.
 *
 * @param {HTMLElement} content
 * @param {Board} board
 * @param {BoardImages} images
 */
export function showBoard(content, board, images) {
  const rows = board.defects.map((defect) =>
    element(
      'tr',
      {},
      element('td', {}, defect.label),
      element('td', {}, defect.defect_type),
      element('td', {}, defect.severity),
      element('td', { class: 'number' }, `${(defect.confidence * 100).toFixed(1)} %`),
      secondOpinion(defect),
      element('td', { class: 'number' }, `${Math.round(defect.location.x)}, ${Math.round(defect.location.y)}`),
    ),
  );
  const head = ['Found', 'Class', 'Severity', 'Confidence', 'Second opinion', 'At (px)'].map((text) =>
    element('th', { scope: 'col' }, text),
  );
  content.replaceChildren(
    boardPicture(board, images, DETAIL_TEXT_SHARE),
    element(
      'div',
      { class: 'detail-text' },
      element('h2', { id: 'detail-title' }, `Board ${board.chip_id}`),
      element('p', {}, verdictBadge(board).node, ` ${findings(board)}`),
      rows.length === 0
        ? ''
        : element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)),
      element('p', { class: 'card-facts' }, `Inspection ${board.inspection_id}`),
      element(
        'p',
        { class: 'card-facts' },
        `${lineTitle(board.line_id)}, finished ${new Date(board.completed_at).toLocaleString()}, ` +
          `${(board.latency_ms / 1000).toFixed(2)} s from creation to verdict`,
      ),
    ),
  );
}

/**
 * The classifier's word on a defect; one that differs from the detector's wants a person to look.
 *
 * @param {Defect} defect
 */
function secondOpinion({ second_opinion: opinion }) {
  if (opinion === null) return element('td', { 'data-testid': 'second-opinion' }, '–');
  const label = !opinion.disagrees ? 'the same' : opinion.label === 'background' ? 'no defect' : opinion.label;
  return element(
    'td',
    { 'data-testid': 'second-opinion', class: opinion.disagrees ? 'disagrees' : '' },
    `${opinion.disagrees ? 'Look: ' : ''}${label}, ${(opinion.probability * 100).toFixed(1)} %`,
  );
}

/** @param {Board} board */
function cardKey(board) {
  return `${board.inspection_id} ${board.completed_at}`;
}

/** @param {Board} board */
function verdictBadge(board) {
  const kind = board.status === 'failed' ? 'error' : board.verdict === 'fail' ? 'fail' : 'pass';
  const text = { error: 'No verdict', fail: 'Fail', pass: 'Pass' }[kind];
  return { kind, node: element('span', { class: `badge ${kind}` }, text) };
}

/** @param {Board} board */
function findings(board) {
  if (board.status === 'failed') return reasonText(board.failure_reason ?? 'unknown_reason');
  if (board.defects.length === 0) return 'No defect';
  const counts = new Map();
  for (const { label } of board.defects) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => (count === 1 ? label : `${count} × ${label}`)).join(', ');
}

/**
 * @param {string} reason
 * @returns {string}
 */
function reasonText(reason) {
  if (reason.startsWith(GOLDEN_PREFIX)) return `Golden image: ${reasonText(reason.slice(GOLDEN_PREFIX.length))}`;
  return REASONS[reason] ?? reason.replaceAll(/[_:-]+/g, ' ');
}
