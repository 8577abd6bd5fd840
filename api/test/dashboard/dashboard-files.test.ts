import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer({}, { imageOrigins: ['http://127.0.0.1:9000'] });
});
afterAll(() => api.close());

describe('the live page', () => {
  it('comes without a token, under a content policy that allows nothing inline', async () => {
    const page = await fetch(api.origin);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("img-src 'self' http://127.0.0.1:9000");
    expect(policy).not.toContain('unsafe');
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|onclick=/);
  });

  it('finds every file it refers to', async () => {
    const seen = new Set<string>();
    const wanted = ['/'];
    for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const response = await fetch(api.origin + path);
      expect(response.status, path).toBe(200);
      const text = await response.text();
      if (path.includes('/vendor/')) continue;
      const pattern = /(?:from|import) '([^']+\.js)'|(?:src|href)="([^"#]+)"/g;
      for (const [, imported, linked] of text.matchAll(pattern)) {
        wanted.push(new URL((imported ?? linked) as string, api.origin + path).pathname);
      }
    }
    expect(seen).toContain('/dashboard/vendor/uplot.js');
    expect(seen.size).toBeGreaterThan(12);
  });

  it('is answered by 304 while it is unchanged, and serves no types or configuration', async () => {
    const first = await fetch(`${api.origin}/dashboard/main.js`);
    await first.text();
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(`${api.origin}/dashboard/main.js`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect((await fetch(`${api.origin}/dashboard/tsconfig.json`)).status).toBe(404);
    expect((await fetch(`${api.origin}/dashboard/..%2f..%2findex.ts`)).status).toBe(404);
  });
});
