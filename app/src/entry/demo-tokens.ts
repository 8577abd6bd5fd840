import { mintToken, SCOPES, type Scope } from '@chip-quality/api';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '../platform/token-checks.ts';

/** The demonstration's tenant. */
const TENANT = 'demo';
/** A demonstration may run for days; these tokens open nothing but a local installation. */
const LIFETIME_SECONDS = 30 * 86_400;

/** A token for the stations: everything a station does. */
export function stationToken(secret: string): Promise<string> {
  return mint(secret, 'demo-stations', SCOPES);
}

/** A token for the live page: reading only. */
export function viewerToken(secret: string): Promise<string> {
  return mint(
    secret,
    'demo-viewer',
    SCOPES.filter((scope) => scope.endsWith(':read')),
  );
}

function mint(secret: string, subject: string, scopes: readonly Scope[]): Promise<string> {
  return mintToken(
    {
      secret,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      subject,
      tenantId: TENANT,
      scopes,
      lifetimeSeconds: LIFETIME_SECONDS,
    },
    { nowMs: () => Date.now() },
  );
}
