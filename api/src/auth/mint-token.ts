import { SignJWT } from 'jose';
import type { ApiClock } from '../ports.ts';
import { secretKey } from './authenticator.ts';
import type { Scope } from './principal.ts';

/** What goes into a token of our own making. */
export interface TokenRequest {
  /** The secret that the API verifies with, at least {@link SECRET_BYTES_MIN} bytes. */
  readonly secret: string;
  /** Goes into `iss`: what the API is configured to take. */
  readonly issuer: string;
  /** Goes into `aud`: what the API is configured to take. */
  readonly audience: string;
  /** Goes into `sub`: who the token stands for, 1 to 200 characters. */
  readonly subject: string;
  /** Goes into `tenant_id`: whose data the token opens. */
  readonly tenantId: string;
  /** What the token allows. */
  readonly scopes: readonly Scope[];
  /** From now to its expiry. */
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
