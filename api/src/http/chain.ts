import type { Authenticator } from '../auth/authenticator.ts';
import type { Link, LinkRequest, Next } from './link.ts';
import { type Auditor, audit, noopAuditor } from './links/audit.ts';
import { authenticate } from './links/authenticate.ts';
import { authorize } from './links/authorize.ts';
import { type Limiter, limit, noopLimiter } from './links/limit.ts';

/** What the links need; without limiter and auditor theirs let everything through and record nothing. */
export interface LinkOptions {
  readonly auth: Authenticator;
  readonly limiter?: Limiter | undefined;
  readonly auditor?: Auditor | undefined;
}

/**
 * The links before every handler, in their order. Limits count a principal, so it is known by then; what is refused by a limit is
 * not recorded, or a flood would fill the records; a principal that lacks a scope is.
 */
export function linksOf({ auth, limiter = noopLimiter, auditor = noopAuditor }: LinkOptions): readonly Link[] {
  return [authenticate(auth), limit(limiter), audit(auditor), authorize(auth)];
}

/** Takes a request through links to its handler. */
export type Chain = <Answer>(request: LinkRequest, handle: Next<Answer>) => Promise<Answer>;

/** The chain of these links, first one first. Rejects with what a link refuses with, or the handler rejects with. */
export function chainOf(links: readonly Link[]): Chain {
  return <Answer>(request: LinkRequest, handle: Next<Answer>) => {
    const first = links.reduceRight<Next<Answer>>((next, link) => (passed) => link.pass(passed, next), handle);
    return first(request);
  };
}
