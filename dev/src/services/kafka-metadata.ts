import { connect } from 'node:net';

/** What a broker says about its cluster. */
export interface ClusterMetadata {
  readonly clusterId: string | undefined;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
}

const API_METADATA = 3;
const METADATA_VERSION = 4;
const CLIENT_ID = 'local-stack';
const TIMEOUT_MS = 2_000;
/** A metadata answer without topics is a few hundred bytes; anything bigger is not a Kafka broker. */
const ANSWER_BYTES_MAX = 1_000_000;

/**
 * Asks a broker for its cluster id and its registered brokers, in one hand-made request: the readiness check needs to
 * know that this is the cluster whose data folder we own, and needs no client library for it.
 */
export function fetchClusterMetadata(host: string, port: number): Promise<ClusterMetadata> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error(`${host}:${port} closed the connection`)));
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const bytes = received.readInt32BE(0);
      if (bytes < 0 || bytes > ANSWER_BYTES_MAX) socket.destroy(new Error(`${host}:${port} does not speak Kafka`));
      else if (received.length >= 4 + bytes) {
        try {
          done(parseMetadata(received.subarray(4, 4 + bytes)));
        } catch (error) {
          fail(error as Error);
        }
        socket.destroy();
      }
    });
  });
}

function metadataRequest(): Buffer {
  const body = Buffer.alloc(4 + 10 + CLIENT_ID.length + 5);
  body.writeInt32BE(body.length - 4, 0);
  body.writeInt16BE(API_METADATA, 4);
  body.writeInt16BE(METADATA_VERSION, 6);
  body.writeInt32BE(1, 8); // correlation id
  body.writeInt16BE(CLIENT_ID.length, 12);
  body.write(CLIENT_ID, 14, 'latin1');
  // The rest stays zero: an empty list of topics, and no automatic topic creation.
  return body;
}

function parseMetadata(answer: Buffer): ClusterMetadata {
  let at = 8; // correlation id, throttle time
  const int32 = () => {
    at += 4;
    return answer.readInt32BE(at - 4);
  };
  const string = () => {
    const length = answer.readInt16BE(at);
    at += 2;
    if (length < 0) return undefined;
    at += length;
    return answer.toString('utf8', at - length, at);
  };
  const brokers = Array.from({ length: int32() }, () => {
    const broker = { id: int32(), host: string() ?? '', port: int32() };
    string(); // rack
    return broker;
  });
  return { brokers, clusterId: string() };
}
