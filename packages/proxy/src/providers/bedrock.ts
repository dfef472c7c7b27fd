import { NEEDS_CREDENTIAL } from '@millrace/shared'

import type { Provider } from './provider.ts'

export const bedrock: Provider = {
  needsCredential: NEEDS_CREDENTIAL.BEDROCK,
  authorize: () => [],
  connect: () => {
    throw new Error('not yet')
  },
}
