import type { LineYieldView } from '@chip-quality/schemas';

const TIMEOUT_MS = 10_000;

/**
 * What a page that opens the live feed is told first: the yield of every line and minute of the last hour. `address` is the
 * one that a start prints, with the token in its fragment.
 */
export function liveYields(address: string): Promise<readonly LineYieldView[]> {
  const page = new URL(address);
  const token = new URLSearchParams(page.hash.slice(1)).get('token');
  const socket = new WebSocket(`ws://${page.host}/v1/live`, ['chip-quality.live.v1', `bearer.${token}`]);
  return new Promise<readonly LineYieldView[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no snapshot after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    socket.addEventListener('error', () => reject(new Error('the live feed broke')));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { type: string; yields: readonly LineYieldView[] };
      if (message.type !== 'snapshot') return;
      clearTimeout(timer);
      resolve(message.yields);
    });
  }).finally(() => socket.close());
}
