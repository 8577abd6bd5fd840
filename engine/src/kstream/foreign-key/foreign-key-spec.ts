import type { Serde } from '../../serde/serde.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import type { SubscriptionSerde } from './subscription.ts';

/** What the processors of one foreign-key join share. Left is the table with the foreign keys, right the one that they point into. */
export interface ForeignKeyJoinSpec<K, V, KO, VO> {
  /** Without the application id. */
  readonly registrationTopic: string;
  /** Name of the store of the subscriptions. */
  readonly storeName: string;
  /** The user's function: which entry of the right table a left value points to; null or undefined: none. */
  readonly foreignKey: (value: V, key: K) => KO | null | undefined;
  /** Whether left entries without a partner have a result (`leftJoin`). */
  readonly keepsLeft: boolean;
  /** How the left table is read, to see whether an answer is still about its newest value. */
  readonly left: TableValueGetterSupplier<K, V>;
  /** How the right table is read, to answer a question. */
  readonly right: TableValueGetterSupplier<KO, VO>;
  /**
   * Whether the left table keeps versions: changes of its past don't join, as in Kafka Streams. Asked when the task is
   * made.
   */
  readonly leftIsVersioned: () => boolean;
  /** Whether the right table keeps versions; its past changes don't join either. */
  readonly rightIsVersioned: () => boolean;
  /** Of the left table's keys. */
  readonly keySerde: Serde<K>;
  /** Of the left table's values: questions and answers carry a hash of its bytes. */
  readonly valueSerde: Serde<V>;
  /** Of the right table's keys, which are the keys of the questions. */
  readonly foreignKeySerde: Serde<KO>;
  /** Of the right table's values, which the answers carry. */
  readonly foreignValueSerde: Serde<VO>;
  /** Of the questions, and of what the subscription store keeps. */
  readonly subscriptionSerde: SubscriptionSerde<K>;
}
