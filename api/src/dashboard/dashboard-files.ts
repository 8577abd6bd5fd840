import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../http/endpoint.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const BROWSER_FOLDER = fileURLToPath(new URL('./browser/', import.meta.url));
const require = createRequire(import.meta.url);

/** Files of npm packages that the page uses, by the name they are served under. */
const VENDORED: Readonly<Record<string, string>> = {
  'uplot.js': require.resolve('uplot/dist/uPlot.esm.js'),
  'uplot.css': require.resolve('uplot/dist/uPlot.min.css'),
};

/**
 * The live page: its files are read once and served from memory, under a content policy that allows nothing inline and
 * nothing from elsewhere but board images from the object store. The page needs no token; its data does.
 *
 * @param imageOrigins origins that presigned addresses point to
 */
export function dashboardEndpoints(imageOrigins: readonly string[]): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  const add = (path: string, file: string): void => {
    const handle = fileHandler(file, imageOrigins);
    endpoints.push({
      method: 'GET',
      path,
      access: {
        kind: 'public',
        why: 'A browser loads pages without a token; they hold no data, which they get with one.',
      },
      handle,
    });
  };
  for (const name of readdirSync(BROWSER_FOLDER)) {
    if (extname(name) in TYPES) add(name === 'index.html' ? '/' : `/dashboard/${name}`, `${BROWSER_FOLDER}${name}`);
  }
  for (const [name, file] of Object.entries(VENDORED)) add(`/dashboard/vendor/${name}`, file);
  return endpoints;
}

function fileHandler(file: string, imageOrigins: readonly string[]): Endpoint['handle'] {
  const body = readFileSync(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    // Always asked again, answered by 304 while nothing changed: a new version is seen at the next load.
    'Cache-Control': 'no-cache',
    ETag: etag,
    'Content-Security-Policy': contentPolicy(imageOrigins),
  };
  return (exchange) =>
    exchange.header('if-none-match') === etag ? { status: 304, headers } : { status: 200, headers, body };
}

function contentPolicy(imageOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    ["img-src 'self'", ...imageOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
