/** What a token may allow. */
export const SCOPES = [
  'inspections:write',
  'inspections:read',
  'parts:write',
  'lots:write',
  'models:write',
  'models:read',
  'live:read',
] as const;

/** One of {@link SCOPES}: a resource and whether it may be read or changed. */
export type Scope = (typeof SCOPES)[number];

/** Who asks. */
export interface Principal {
  /** Every id and key is derived within it; never contains `|`. */
  readonly tenantId: string;
  /** The token's `sub`. */
  readonly subject: string;
  /** The token's scopes, those that this API doesn't know included. */
  readonly scopes: ReadonlySet<string>;
  /** Epoch ms: an open connection ends then. */
  readonly expiresAtMs: number;
}
