// @ts-check

/** @typedef {import('@chip-quality/schemas').LiveFrame} LiveFrame */
/** @typedef {'connecting' | 'live' | 'offline' | 'refused'} ConnectionState */

/** Two heartbeats and a half: a connection that is quieter than this is dead, whatever the browser thinks. */
const SILENCE_MS_MAX = 25_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 15_000;
const CLOSE_TOKEN_EXPIRED = 4401;

/**
 * The live socket of the page: reconnects with growing, jittered pauses, resumes by epoch and offset, and drops a
 * connection that has fallen silent. It tries for as long as the page is open: a wall screen has nobody to press reload.
 *
 * Owns: the socket, epoch and offset.
 * Invariant: `onMessage` sees every offset once and in order, or a snapshot in between.
 */
export class LiveConnection {
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {string | undefined} */
  #epoch;
  #offset = 0;
  #failures = 0;
  /** @type {number | undefined} */
  #watchdog;
  #token;
  #onMessage;
  #onState;

  /**
   * @param {string} token
   * @param {(message: LiveFrame) => void} onMessage
   * @param {(state: ConnectionState) => void} onState
   */
  constructor(token, onMessage, onState) {
    this.#token = token;
    this.#onMessage = onMessage;
    this.#onState = onState;
  }

  connect() {
    this.#onState('connecting');
    const address = new URL('/v1/live', location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.#epoch !== undefined) address.search = `?epoch=${this.#epoch}&offset=${this.#offset}`;
    const socket = new WebSocket(address, ['chip-quality.live.v1', `bearer.${this.#token}`]);
    this.#socket = socket;
    let opened = false;
    socket.addEventListener('open', () => {
      opened = true;
      this.#watch();
    });
    socket.addEventListener('message', (event) => {
      this.#watch();
      this.#receive(JSON.parse(String(event.data)));
    });
    socket.addEventListener('close', (event) => {
      if (this.#socket !== socket) return;
      clearTimeout(this.#watchdog);
      void this.#closed(event.code, opened);
    });
  }

  /** @param {LiveFrame} message */
  #receive(message) {
    if (message.type === 'resync') {
      this.#epoch = undefined;
      return;
    }
    const deltas = message.type === 'yield' || message.type === 'board';
    if (deltas && (message.epoch !== this.#epoch || message.offset !== this.#offset + 1)) return this.#startOver();
    if (message.type === 'heartbeat' && message.offset !== this.#offset) return this.#startOver();
    this.#epoch = message.epoch;
    this.#offset = message.offset;
    if (message.type === 'snapshot' || message.type === 'resumed') {
      this.#failures = 0;
      this.#onState('live');
    }
    this.#onMessage(message);
  }

  /** Something is missing: better a fresh snapshot than a wrong number on the screen. */
  #startOver() {
    this.#epoch = undefined;
    this.#socket?.close();
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#socket?.close(), SILENCE_MS_MAX);
  }

  /**
   * @param {number} code
   * @param {boolean} opened
   */
  async #closed(code, opened) {
    if (code === CLOSE_TOKEN_EXPIRED || (!opened && (await this.#isRefused()))) {
      this.#onState('refused');
      return;
    }
    this.#onState('offline');
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    setTimeout(() => this.connect(), pauseMs * (0.5 + Math.random() / 2));
  }

  /** Browsers hide why an upgrade failed: a plain request with the same token tells. */
  async #isRefused() {
    try {
      const response = await fetch('/v1/inspections?limit=1', { headers: { Authorization: `Bearer ${this.#token}` } });
      return response.status === 401 || response.status === 403;
    } catch {
      return false; // the server is away, which says nothing about the token
    }
  }
}
