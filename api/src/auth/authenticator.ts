import { UnavailableError } from '@chip-quality/schemas';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ProblemError } from '../http/problem.ts';
import type { ApiClock } from '../ports.ts';
import type { Principal, Scope } from './principal.ts';

/** Where verification keys come from. */
export type VerificationKeys =
  /** A secret shared with the issuer, at least 32 bytes: HS256. */
  | {
      /** A secret shared with the issuer. */
      readonly kind: 'secret';
      /** At least {@link SECRET_BYTES_MIN} bytes in UTF-8; whoever has it can make tokens. */
      readonly secret: string;
    }
  /** Public keys at hand: RS256, ES256. */
  | {
      /** Public keys at hand. */
      readonly kind: 'jwks';
      /** JSON Web Key Set; a token's `kid` chooses the key. */
      readonly jwks: JSONWebKeySet;
    }
  /** Public keys of an identity provider, fetched and cached: RS256, ES256. */
  | {
      /** Public keys of an identity provider. */
      readonly kind: 'jwks-url';
      /**
       * Address of its JSON Web Key Set. Fetched when a token comes, and again for a key that the last answer lacked.
       */
      readonly url: string;
    };

/** Which tokens the API takes. */
export interface AuthOptions {
  /** What the claim `iss` must be. */
  readonly issuer: string;
  /** What the claim `aud` must be or hold. */
  readonly audience: string;
  /** Where the keys come from that tokens are verified with. */
  readonly keys: VerificationKeys;
  /** How far the issuer's clock may be off; 5 s unless given. */
  readonly clockToleranceSeconds?: number;
}

/** Checks tokens and scopes. Throws {@link ProblemError}: 401 with `WWW-Authenticate`, or 403 naming the scope. */
export interface Authenticator {
  /**
   * The principal of an `Authorization` header. Rejects with a {@link ProblemError} (401), or `UnavailableError` while
   * the identity provider does not answer.
   *
   * @param authorization the header, empty when absent
   */
  fromHeader(authorization: string): Promise<Principal>;
  /** The principal of a JWT; verified once a minute at most. Rejects as `fromHeader` does. */
  fromToken(token: string): Promise<Principal>;
  /** Throws a {@link ProblemError} (403) that names the scope, where the principal lacks it. */
  requireScope(principal: Principal, scope: Scope): void;
}

/** RFC 7518 wants a key as long as the hash. */
export const SECRET_BYTES_MIN = 32;
const CLOCK_TOLERANCE_SECONDS = 5;
/** Tokens whose verification is remembered: a station sends one token with every request, and verifying costs more than most answers. */
const VERIFIED_MAX = 10_000;
/** How long a verification holds: a key that the provider withdraws is noticed after this. */
const VERIFIED_MS = 60_000;
const REALM = 'chip-quality';
const ASYMMETRIC = ['RS256', 'ES256'];

/** The claims beyond the registered ones. `|` separates parts of Kafka keys, so a tenant never contains it. */
const PlatformClaims = z.object({
  sub: z.string().min(1).max(200),
  tenant_id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  scope: z.string().max(2000),
  exp: z.number(),
});

/**
 * Makes the one {@link Authenticator} of the process.
 *
 * jose accepts a token without `exp` and of any issuer unless told otherwise: all of it is demanded here, and the
 * algorithm is pinned to the kind of key, so that a public key is never taken for a shared secret.
 *
 * @throws RangeError when the shared secret is too short
 */
export function createAuthenticator(options: AuthOptions, clock: ApiClock): Authenticator {
  const checks = {
    issuer: options.issuer,
    audience: options.audience,
    requiredClaims: ['exp', 'iss', 'aud', 'sub', 'tenant_id', 'scope'],
    clockTolerance: options.clockToleranceSeconds ?? CLOCK_TOLERANCE_SECONDS,
  };
  const verify = verifier(options.keys);
  const verified = new LRUCache<string, { readonly principal: Principal; readonly untilMs: number }>({
    max: VERIFIED_MAX,
  });

  async function fromToken(token: string): Promise<Principal> {
    const nowMs = clock.nowMs();
    const known = verified.get(token);
    if (known !== undefined && nowMs < known.untilMs) return known.principal;
    const principal = await check(token);
    verified.set(token, { principal, untilMs: Math.min(nowMs + VERIFIED_MS, principal.expiresAtMs) });
    return principal;
  }

  async function check(token: string): Promise<Principal> {
    let payload: JWTPayload;
    try {
      payload = await verify(token, { ...checks, currentDate: new Date(clock.nowMs()) });
    } catch (error) {
      if (isProviderDown(error)) {
        throw new UnavailableError('The identity provider does not answer', 5, error);
      }
      throw unauthenticated(describe(error), 'invalid_token', error);
    }
    const claims = PlatformClaims.safeParse(payload);
    if (!claims.success) {
      const names = [...new Set(claims.error.issues.map((issue) => String(issue.path[0])))];
      throw unauthenticated(`The token's ${names.join(', ')} is not usable.`, 'invalid_token');
    }
    return {
      tenantId: claims.data.tenant_id,
      subject: claims.data.sub,
      scopes: new Set(claims.data.scope.split(' ').filter((scope) => scope !== '')),
      expiresAtMs: claims.data.exp * 1000,
    };
  }

  return {
    fromToken,
    async fromHeader(authorization) {
      if (authorization === '') throw unauthenticated('Send a token: Authorization: Bearer <JWT>.');
      const [, token] = /^Bearer +([\w~+/.=-]+)$/i.exec(authorization) ?? [];
      if (token === undefined)
        throw unauthenticated('The Authorization header is not "Bearer <JWT>".', 'invalid_request');
      return fromToken(token);
    },
    requireScope(principal, scope) {
      if (principal.scopes.has(scope)) return;
      throw new ProblemError('forbidden', `The token lacks the scope "${scope}".`, {
        headers: { 'WWW-Authenticate': `Bearer realm="${REALM}", error="insufficient_scope", scope="${scope}"` },
      });
    },
  };
}

type Verify = (token: string, options: Parameters<typeof jwtVerify>[2]) => Promise<JWTPayload>;

function verifier(keys: VerificationKeys): Verify {
  if (keys.kind === 'secret') {
    const secret = secretKey(keys.secret);
    return async (token, options) => (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload;
  }
  const keySet = keys.kind === 'jwks' ? createLocalJWKSet(keys.jwks) : createRemoteJWKSet(new URL(keys.url));
  return async (token, options) => (await jwtVerify(token, keySet, { ...options, algorithms: ASYMMETRIC })).payload;
}

/**
 * The bytes of a shared secret.
 *
 * @throws RangeError below {@link SECRET_BYTES_MIN} bytes
 */
export function secretKey(secret: string): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.byteLength < SECRET_BYTES_MIN)
    throw new RangeError(`The JWT secret needs ${SECRET_BYTES_MIN} bytes or more`);
  return bytes;
}

/** Fetching the key set failed: nothing is known about the token, so the client may come back with it. */
function isProviderDown(error: unknown): boolean {
  if (error instanceof TypeError) return true; // what fetch throws
  return error instanceof errors.JOSEError && (error.code === 'ERR_JWKS_TIMEOUT' || error.code === 'ERR_JOSE_GENERIC');
}

/** Says which check failed, and never what the right value would have been. */
function describe(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) return `The token's claim "${error.claim}" does not hold.`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature does not verify.";
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token's algorithm is not allowed.";
  return 'The token is not a JWT that this service accepts.';
}

function unauthenticated(detail: string, code?: string, cause?: unknown): ProblemError {
  const error = code === undefined ? '' : `, error="${code}"`;
  return new ProblemError('unauthenticated', detail, {
    headers: { 'WWW-Authenticate': `Bearer realm="${REALM}"${error}` },
    cause,
  });
}
