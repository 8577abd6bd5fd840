import type { Serde } from '../../serde/serde.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import type { SubscriptionSerde } from './subscription.ts';

/** What the processors of one foreign-key join share. Left is the table with the foreign keys, right the one that they point into. */
export interface ForeignKeyJoinSpec<K, V, KO, VO> {
  /** Without the application id. */
  readonly registrationTopic: string;
  readonly storeName: string;
  readonly foreignKey: (value: V, key: K) => KO | null | undefined;
  readonly keepsLeft: boolean;
  readonly left: TableValueGetterSupplier<K, V>;
  readonly right: TableValueGetterSupplier<KO, VO>;
  /** The tables keep versions: changes of their past don't join, as in Kafka Streams. */
  readonly leftIsVersioned: () => boolean;
  readonly rightIsVersioned: () => boolean;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly foreignKeySerde: Serde<KO>;
  readonly foreignValueSerde: Serde<VO>;
  readonly subscriptionSerde: SubscriptionSerde<K>;
}
