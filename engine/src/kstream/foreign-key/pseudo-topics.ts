/** Topic names that only serdes see: what a foreign-key join serializes inside its messages, its store and its hashes. */
export interface PseudoTopics {
  /** For the left table's key inside questions and the subscription store. */
  readonly primaryKey: string;
  /** For the foreign key. */
  readonly foreignKey: string;
  /** For the left value whose bytes are hashed. */
  readonly leftValue: string;
}

/** As Kafka Streams names them, so that a schema registry has one set of subjects whoever runs the application. */
export function pseudoTopics(registrationTopic: string): PseudoTopics {
  return {
    primaryKey: `${registrationTopic}-pk`,
    foreignKey: `${registrationTopic}-fk`,
    leftValue: `${registrationTopic}-vh`,
  };
}
