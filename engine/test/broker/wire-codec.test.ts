import { fetchV13, fetchV15, fetchV17 } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferPool, SharedBuffer } from '../../src/broker/buffer-pool.ts';
import { FrameReader, ResponseBuffers } from '../../src/broker/wire/connection/frame-reader.ts';
import { decodeFetchResponse, encodeFetchRequest } from '../../src/broker/wire/consumer/fetch-protocol.ts';

const TOPIC_ID = '01234567-89ab-cdef-0123-456789abcdef';

it.each([
  [13, fetchV13],
  [15, fetchV15],
  [17, fetchV17],
] as const)('writes Fetch v%i as the library does', (version, library) => {
  const ours = encodeFetchRequest({
    version,
    waitMs: 500,
    bytesMax: 1_000_000,
    partitionBytesMax: 70_000,
    readCommitted: true,
    topics: new Map([
      [
        TOPIC_ID,
        [
          { partition: 0, leaderEpoch: 3, fetchOffset: 5_000_000_000 },
          { partition: 7, leaderEpoch: -1, fetchOffset: 0 },
        ],
      ],
    ]),
  });
  const partition = { lastFetchedEpoch: -1, partitionMaxBytes: 70_000 };
  const theirs = library.createRequest(
    500,
    1,
    1_000_000,
    1,
    0,
    -1,
    [
      {
        topicId: TOPIC_ID,
        partitions: [
          { ...partition, partition: 0, currentLeaderEpoch: 3, fetchOffset: 5_000_000_000n },
          { ...partition, partition: 7, currentLeaderEpoch: -1, fetchOffset: 0n },
        ],
      },
    ],
    [],
    '',
  );
  expect(ours.toString('hex')).toBe(theirs.buffer.toString('hex'));
});

it('puts every answer together, however the stream is cut', () => {
  const answers = fc.array(fc.oneof(fc.nat(50), fc.integer({ min: 60_000, max: 200_000 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      answers,
      fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 20 }),
      (sizes, reads) => {
        const frames = sizes.map((size, index) => Buffer.alloc(size + 1, index + 1));
        const stream = Buffer.concat(
          frames.flatMap((frame) => {
            const length = Buffer.alloc(4);
            length.writeInt32BE(frame.length);
            return [length, frame];
          }),
        );
        const received: Buffer[] = [];
        const reader = new FrameReader(new ResponseBuffers(), (frame, sizeBytes) => {
          received.push(Buffer.from(frame.buffer.subarray(0, sizeBytes)));
          frame.release();
        });
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const target = reader.nextBuffer();
          const count = stream.copy(target, 0, at, at + (reads[turn % reads.length] as number));
          reader.received(count);
          at += count;
        }
        expect(received.length).toBe(frames.length);
        received.forEach((frame, index) => {
          expect(frame.equals(frames[index] as Buffer)).toBe(true);
        });
      },
    ),
    { numRuns: 50 },
  );
});

it('refuses a stream that is not Kafka', () => {
  const reader = new FrameReader(new ResponseBuffers(), () => undefined);
  expect(() => reader.receivedChunk(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(/no answer of a Kafka broker/);
});

it('refuses a malformed Fetch answer with an error of its own', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const buffer = Buffer.from(noise);
      try {
        decodeFetchResponse({ shared: new SharedBuffer(buffer), start: 0, end: buffer.length });
      } catch (error) {
        expect(error).toMatchObject({ name: 'StreamsError', code: 'BROKER' });
      }
    }),
  );
});

it('gives a pooled buffer out again only after everybody released it', () => {
  const pool = new BufferPool(10);
  const shared = new SharedBuffer(pool.acquire(), pool);
  shared.retain();
  shared.release();
  expect(pool.acquire()).not.toBe(shared.buffer);
  shared.release();
  expect(pool.acquire()).toBe(shared.buffer);
});
