import type { Client } from 'graphql-ws'

/** Something that subscribes to more than the configuration, whenever there is a connection to the control plane. */
export interface Follows {
  /** Follows a connection until it ends. */
  follow(client: Client): void
}
