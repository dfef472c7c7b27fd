import { GatewayError } from '@millrace/shared'

import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Target, Targets } from '../providers/provider.ts'
import type { Translation } from './translation.ts'
import { Untouched } from './untouched.ts'

/** The provider has nothing that could stand in for an endpoint: other routes may. */
export class Unsupported extends Untouched implements Translation {
  private readonly endpoint: Endpoint
  private readonly kind: string

  constructor(endpoint: Endpoint, kind: string) {
    super(endpoint.path, [], null)
    this.endpoint = endpoint
    this.kind = kind
  }

  override targetAt(targets: Targets): Target {
    return targets.of(this.endpoint.path.slice('/v1'.length))
  }

  override encode(): never {
    throw new GatewayError(
      'unsupported_endpoint',
      `${this.endpoint.path} cannot be asked of a provider of kind ${this.kind}.`,
      {
        param: 'model',
      },
    )
  }
}
