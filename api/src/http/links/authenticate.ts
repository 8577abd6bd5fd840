import type { Authenticator } from '../../auth/authenticator.ts';
import type { Link } from '../link.ts';

/** Finds out who asks, unless the address is public: from there on the request has its `principal`. Refuses with 401. */
export function authenticate(auth: Authenticator): Link {
  return {
    name: 'authenticate',
    problems: { 401: { description: 'No token, or one that does not hold.' } },
    async pass(request, next) {
      if (request.access.kind === 'public') return next(request);
      const { authorization, token } = request.credentials;
      const principal = await (token === undefined ? auth.fromHeader(authorization) : auth.fromToken(token));
      return next({ ...request, principal });
    },
  };
}
