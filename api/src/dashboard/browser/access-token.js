// @ts-check

const STORAGE_KEY = 'chip-quality.token';

/**
 * The access token: from `#token=` in the address (never sent to a server), else from this tab's storage. The fragment
 * is removed at once, so that the token is not copied along with the address.
 *
 * @returns {string | undefined}
 */
export function takeToken() {
  const fromAddress = new URLSearchParams(location.hash.slice(1)).get('token');
  if (fromAddress) {
    sessionStorage.setItem(STORAGE_KEY, fromAddress);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(STORAGE_KEY, token.trim());
}

/** A token that was refused is not tried again. */
export function dropToken() {
  sessionStorage.removeItem(STORAGE_KEY);
}
