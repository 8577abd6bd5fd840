// @ts-check

/** Addresses outlive a card by far; the bound only matters for a page that is open for days. */
const CACHED_MAX = 200;
/** An address is renewed this long before the store refuses it. */
const RENEW_BEFORE_MS = 30_000;

/**
 * Presigned addresses of board images. The bytes come straight from the object store; the API only signs.
 *
 * Owns: a bounded cache of addresses by artifact.
 */
export class BoardImages {
  /** @type {Map<string, { url: string, expiresAtMs: number }>} */
  #cached = new Map();
  #token;

  /** @param {string} token */
  constructor(token) {
    this.#token = token;
  }

  /**
   * @param {string} inspectionId
   * @param {string} artifactId
   * @returns {Promise<string>} rejects when the API cannot say
   */
  async address(inspectionId, artifactId) {
    const known = this.#cached.get(artifactId);
    if (known !== undefined && known.expiresAtMs - Date.now() > RENEW_BEFORE_MS) return known.url;
    const response = await fetch(`/v1/inspections/${inspectionId}/artifacts/${artifactId}`, {
      headers: { Authorization: `Bearer ${this.#token}`, Accept: 'application/json' },
    });
    if (!response.ok) throw new Error(`The image's address can't be had: ${response.status}`);
    const ticket = await response.json();
    this.#cached.set(artifactId, { url: ticket.download_url, expiresAtMs: Date.parse(ticket.expires_at) });
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= CACHED_MAX) break;
      this.#cached.delete(oldest);
    }
    return ticket.download_url;
  }
}
