export { type AuthOptions, SECRET_BYTES_MIN, type VerificationKeys } from './auth/authenticator.ts';
export { mintToken, type TokenRequest } from './auth/mint-token.ts';
export { SCOPES, type Scope } from './auth/principal.ts';
export type { ApiLog, ApiMetrics } from './http/api-log.ts';
export { type ApiLimits, DEFAULT_LIMITS } from './http/limits.ts';
export type { Access, LinkRequest, RequestEnd } from './http/link.ts';
export { type AuditEntry, type Auditor, noopAuditor } from './http/links/audit.ts';
export { type LimitDecision, type Limiter, noopLimiter } from './http/links/limit.ts';
export type { FieldError, Problem } from './http/problem.ts';
export { createLiveFeed, DEFAULT_FEED_LIMITS, type LiveFeedLimits, type PublishingLiveFeed } from './live/live-feed.ts';
export {
  type ApiClock,
  type ArtifactView,
  type BoardView,
  type CommandGateway,
  type CommandReply,
  type CommandRequest,
  type DefectView,
  type InspectionFilter,
  type InspectionList,
  type InspectionView,
  type LineYieldView,
  type LiveFeed,
  type LiveMessage,
  type LiveSnapshot,
  type LotView,
  type ModelDeploymentView,
  type Models,
  type ModelView,
  type ObjectHead,
  type Objects,
  type Operation,
  type PartView,
  type Queries,
  UnavailableError,
} from './ports.ts';
export { type ApiServer, type ApiServerOptions, createApiServer } from './server.ts';
