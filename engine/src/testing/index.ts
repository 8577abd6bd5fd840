export type { CapturedChange, CapturedRecord } from './driver/captured-records.ts';
export { TestClock } from './driver/test-clock.ts';
export { type TestInputTime, TestInputTopic, TestOutputTopic, type TestRecord } from './driver/test-topics.ts';
export { TopologyTestDriver, type TopologyTestDriverOptions } from './driver/topology-test-driver.ts';
