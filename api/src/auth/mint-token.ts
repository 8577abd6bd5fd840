import { SignJWT } from 'jose';
import type { ApiClock } from '../ports.ts';
import { secretKey } from './authenticator.ts';
import type { Scope } from './principal.ts';

/** What goes into a token of our own making. */
export interface TokenRequest {
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly lifetimeSeconds: number;
}

/**
 * Signs a token with the shared secret, for the demo line's stations and the live page. A production installation gets
 * its tokens from an identity provider and configures its keys instead.
 */
export function mintToken(request: TokenRequest, clock: ApiClock): Promise<string> {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  return new SignJWT({ tenant_id: request.tenantId, scope: request.scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setSubject(request.subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + request.lifetimeSeconds)
    .sign(secretKey(request.secret));
}
