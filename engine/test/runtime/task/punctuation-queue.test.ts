import { describe, expect, it } from 'vitest';
import { firstOfGrid, PunctuationQueue } from '../../../src/runtime/task/punctuation-queue.ts';

function fire(queue: PunctuationQueue, nowMs: number): string[] {
  const fired: string[] = [];
  queue.punctuate(nowMs, (name, timestampMs, callback) => {
    fired.push(`${name}@${timestampMs}`);
    callback(timestampMs);
  });
  return fired;
}

describe('PunctuationQueue', () => {
  it('anchors a grid at a start time without firing before it or for what has passed', () => {
    expect(firstOfGrid(25, 10, 20)).toBe(25);
    expect(firstOfGrid(20, 10, 20)).toBe(20);
    expect(firstOfGrid(5, 10, 20)).toBe(25);
    expect(firstOfGrid(10, 10, 20)).toBe(30);
  });

  it('fires once after a gap and stays on its grid', () => {
    const queue = new PunctuationQueue();
    queue.schedule('a', 0, 10, () => {});
    expect(fire(queue, 3)).toEqual(['a@3']);
    expect(fire(queue, 9)).toEqual([]);
    expect(fire(queue, 37)).toEqual(['a@37']);
    expect(fire(queue, 39)).toEqual([]);
    expect(fire(queue, 40)).toEqual(['a@40']);
  });

  it('fires in order of time and tells the next one', () => {
    const queue = new PunctuationQueue();
    expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
    queue.schedule('late', 8, 100, () => {});
    queue.schedule('early', 4, 100, () => {});
    expect(queue.nextMs).toBe(4);
    expect(fire(queue, 10)).toEqual(['early@10', 'late@10']);
    expect(queue.nextMs).toBe(104);
  });

  it('forgets cancelled ones, even those cancelled while firing', () => {
    const queue = new PunctuationQueue();
    const second = queue.schedule('b', 2, 10, () => {});
    queue.schedule('a', 1, 10, () => second.cancel());
    expect(fire(queue, 5)).toEqual(['a@5']);
    expect(fire(queue, 15)).toEqual(['a@15']);
  });

  it('E14: fires what is scheduled while firing in the same call where it is due', () => {
    const queue = new PunctuationQueue();
    let once = true;
    queue.schedule('a', 0, 10, () => {
      if (once) {
        queue.schedule('due', 0, 10, () => {});
        queue.schedule('later', 5, 10, () => {});
      }
      once = false;
    });
    expect(fire(queue, 1)).toEqual(['a@1', 'due@1']);
    expect(fire(queue, 1)).toEqual([]);
    expect(fire(queue, 5)).toEqual(['later@5']);
    // Equal times: in the order in which they were scheduled or fired last, as Kafka Streams 4.3.1 does.
    expect(fire(queue, 10)).toEqual(['a@10', 'due@10']);
  });

  it('lets a punctuator cancel another that is due', () => {
    const queue = new PunctuationQueue();
    queue.schedule('first', 0, 10, () => second.cancel());
    const second = queue.schedule('second', 0, 10, () => {});
    expect(fire(queue, 0)).toEqual(['first@0']);
  });
});
