/** Topic names that only serdes see: what a foreign-key join serializes inside its messages, its store and its hashes. */
export interface PseudoTopics {
  readonly primaryKey: string;
  readonly foreignKey: string;
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
