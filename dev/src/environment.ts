import type { StackEndpoints } from './services/service.ts';

/** The environment variables by which the platform finds its services, as docker-compose.yml sets them too. */
export function environmentOf(stack: StackEndpoints): Record<string, string> {
  const variables: Record<string, string | undefined> = {
    KAFKA_BOOTSTRAP_SERVERS: stack.bootstrapServers,
    SCHEMA_REGISTRY_URL: stack.registryUrl,
    DATABASE_URL: stack.postgresUrl,
    S3_ENDPOINT: stack.s3?.endpoint,
    S3_ACCESS_KEY: stack.s3?.accessKey,
    S3_SECRET_KEY: stack.s3?.secretKey,
    S3_REGION: stack.s3?.region,
    S3_BUCKET: stack.s3?.bucket,
    TRITON_URL: stack.triton?.grpc,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
