/** Token checks of a local installation; production sets its identity provider's. */
export const TOKEN_ISSUER = 'chip-quality-platform';
/** See {@link TOKEN_ISSUER}. */
export const TOKEN_AUDIENCE = 'chip-quality-api';
