import type { Authenticator } from '../../auth/authenticator.ts';
import type { Link } from '../link.ts';

/** Lets a principal through that has the scope of the address. Refuses with 403. */
export function authorize(auth: Authenticator): Link {
  return {
    name: 'authorize',
    problems: { 403: { description: 'The token lacks a scope.' } },
    async pass(request, next) {
      const { access, principal } = request;
      if (access.kind === 'token') {
        // Happens only in a chain without `authenticate`: then nobody is let through.
        if (principal === undefined) throw new Error(`nobody was authenticated for ${request.route}`);
        auth.requireScope(principal, access.scope);
      }
      return next(request);
    },
  };
}
