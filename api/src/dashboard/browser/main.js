// @ts-check
import { dropToken, keepToken, takeToken } from './access-token.js';
import { BoardCards, showBoard } from './board-cards.js';
import { BoardImages } from './board-images.js';
import { byId, element, setText } from './element.js';
import { LineStatistics } from './line-statistics.js';
import { LineTiles } from './line-tiles.js';
import { LiveConnection } from './live-connection.js';
import { startThemeSwitch } from './theme.js';
import { YieldChart } from './yield-chart.js';

/** @typedef {import('@chip-quality/schemas').BoardView} Board */
/** @typedef {import('@chip-quality/schemas').LiveFrame} LiveFrame */

/** Numbers are redrawn at this pace, whatever the rate of the feed. */
const REDRAW_MS = 500;
const LATEST_CARDS = 6;
const REJECT_CARDS = 6;

const CONNECTION_TEXT = {
  connecting: 'Connecting…',
  live: 'Live',
  offline: 'Connection lost, retrying',
  refused: 'Access refused',
};

/** Runs the page with a token. */
function start(/** @type {string} */ token) {
  const statistics = new LineStatistics();
  const images = new BoardImages(token);
  const dialog = /** @type {HTMLDialogElement} */ (byId('detail'));
  const open = (/** @type {Board} */ board) => {
    showBoard(byId('detail-content'), board, images);
    dialog.showModal();
  };
  const latest = new BoardCards(byId('latest'), images, LATEST_CARDS, open);
  const rejects = new BoardCards(byId('rejects'), images, REJECT_CARDS, open);
  const tiles = new LineTiles();
  const chart = new YieldChart(byId('chart'));
  /** Server's clock minus ours. */
  let skewMs = 0;
  let changed = true;

  const addBoard = (/** @type {Board} */ board) => {
    statistics.addBoard(board);
    latest.add(board);
    if (board.status === 'failed' || board.verdict === 'fail') rejects.add(board);
  };

  const onMessage = (/** @type {LiveFrame} */ message) => {
    if ('at' in message && message.at !== undefined) skewMs = Date.parse(message.at) - Date.now();
    if (message.type === 'snapshot') {
      statistics.clear();
      latest.clear();
      rejects.clear();
      message.yields.forEach((view) => {
        statistics.addYield(view);
      });
      message.boards.forEach(addBoard);
    } else if (message.type === 'yield') statistics.addYield(message.data);
    else if (message.type === 'board') addBoard(message.data);
    changed = true;
  };

  const connection = new LiveConnection(token, onMessage, (state) => {
    const pill = byId('connection');
    pill.dataset.state = state;
    setText(pill, CONNECTION_TEXT[state]);
    document.body.dataset.connection = state;
    if (state === 'refused') {
      dropToken();
      askForToken('The token was refused or has expired.');
    }
  });

  const pause = byId('pause');
  pause.addEventListener('click', () => {
    latest.isPaused = !latest.isPaused;
    rejects.isPaused = latest.isPaused;
    pause.setAttribute('aria-pressed', String(latest.isPaused));
    setText(pause, latest.isPaused ? 'Resume boards' : 'Pause boards');
  });

  setInterval(() => {
    const nowMs = Date.now() + skewMs;
    latest.refresh();
    rejects.refresh();
    byId('rejects-empty').hidden = byId('rejects').childElementCount > 0;
    byId('latest-empty').hidden = byId('latest').childElementCount > 0;
    showNumbers(statistics, nowMs);
    tiles.show(statistics.lines(nowMs));
    if (!changed) return;
    changed = false;
    chart.show(statistics.chart(nowMs));
    showDefects(statistics, nowMs);
  }, REDRAW_MS);
  startThemeSwitch(byId('theme'), () => {
    changed = true;
  });
  connection.connect();
}

/**
 * @param {LineStatistics} statistics
 * @param {number} nowMs
 */
function showNumbers(statistics, nowMs) {
  const totals = statistics.totals(nowMs);
  const p95 = statistics.latencyP95Ms(nowMs);
  setText(byId('boards-per-minute'), String(statistics.boardsPerMinute(nowMs)));
  setText(byId('latency-p95'), p95 === undefined ? '–' : `${(p95 / 1000).toFixed(2)} s`);
  setText(
    byId('plant-yield'),
    totals.inspected === 0 ? '–' : `${((100 * totals.passed) / totals.inspected).toFixed(1)}%`,
  );
  setText(byId('defective'), String(totals.inspected - totals.passed));
  setText(byId('inspected'), `of ${totals.inspected} inspected`);
  setText(byId('errored'), String(totals.errored));
}

/**
 * @param {LineStatistics} statistics
 * @param {number} nowMs
 */
function showDefects(statistics, nowMs) {
  const counts = statistics.defects(nowMs);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const most = counts[0]?.[1] ?? 1;
  byId('defects-empty').hidden = counts.length > 0;
  const rows = counts.map(([type, count]) => {
    const bar = element('span', { class: 'bar' });
    bar.style.inlineSize = `${(100 * count) / most}%`;
    const share = `${Math.round((100 * count) / total)} %`;
    return element(
      'li',
      {},
      element('span', { class: 'bar-label' }, type),
      element('span', { class: 'bar-track' }, bar),
      element('span', { class: 'bar-count' }, `${count} (${share})`),
    );
  });
  byId('defects').replaceChildren(...rows);
}

/** @param {string} reason */
function askForToken(reason) {
  setText(byId('token-reason'), reason);
  const dialog = /** @type {HTMLDialogElement} */ (byId('token-dialog'));
  if (!dialog.open) dialog.showModal();
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId('token-input'));
  keepToken(input.value);
  location.reload();
});
byId('detail-close').addEventListener('click', () => {
  /** @type {HTMLDialogElement} */ (byId('detail')).close();
});

const token = takeToken();
if (token === undefined) {
  setText(byId('connection'), 'No access token');
  startThemeSwitch(byId('theme'), () => {});
  askForToken('The numbers of the line are shown to those who have a token.');
} else start(token);
