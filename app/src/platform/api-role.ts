import { createApiServer, createLiveFeed } from '@chip-quality/api';
import type { CommandGateway } from '@chip-quality/schemas';
import { CATALOG_STORE, flowsOf, INSPECTIONS_STORE, MODEL_DEPLOYMENTS_STORE } from '@chip-quality/topologies';
import { DeployedModels } from '../reads/deployed-models.ts';
import { PlatformQueries } from '../reads/platform-queries.ts';
import type { Application } from './application.ts';
import { liveReaders } from './live-readers.ts';
import type { PlatformProcess } from './platform-process.ts';
import { commandGateway } from './replies.ts';
import { Serving } from './serving.ts';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from './token-checks.ts';

/** The API's half of a process, ready to go. */
export interface PreparedApi {
  /** Of its flows, not started. */
  readonly applications: readonly Application[];
  /** Opens the port, when they run; resolves with its number. */
  serve(ports: readonly number[]): Promise<number>;
}

/** The API's half of a process: HTTP API, live page, and the flows whose stores they read. Starts what these need. */
export async function prepareApi(platform: PlatformProcess): Promise<PreparedApi> {
  const { config, log, connections, components, applications } = platform;
  const { gateway, replies, producer } = commandGateway(config, connections, log);
  await components.start([replies]);
  await components.start([producer]);
  const { serdes } = connections;
  return {
    applications: flowsOf('api').map((flow) => applications.add(flow, flow.build({ serdes }))),
    serve: (ports) => serveApi(platform, gateway, ports),
  };
}

async function serveApi(platform: PlatformProcess, gateway: CommandGateway, ports: readonly number[]): Promise<number> {
  const { config, log, metrics, connections, components, applications } = platform;
  const live = createLiveFeed();
  await components.start(liveReaders(live, connections, log));
  const server = createApiServer({
    ports: {
      gateway,
      queries: new PlatformQueries(applications.keeperOf(INSPECTIONS_STORE), applications.keeperOf(CATALOG_STORE)),
      objects: connections.objects,
      models: new DeployedModels(config.modelDirectory, applications.keeperOf(MODEL_DEPLOYMENTS_STORE)),
      live,
      clock: { nowMs: () => Date.now() },
    },
    auth: { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE, keys: { kind: 'secret', secret: config.jwtSecret } },
    log,
    metrics: metrics.api,
    notReady: () => components.notReady(),
    imageOrigins: [new URL(config.s3.publicEndpoint).origin],
  });
  const serving = new Serving(server, config.host, ports, log);
  await components.start([serving]);
  return serving.port;
}
