import { NEEDS_CREDENTIAL } from '@millrace/shared'

import type { Provider } from './provider.ts'

export const anthropic: Provider = {
  needsCredential: NEEDS_CREDENTIAL.ANTHROPIC,
  authorize: () => [],
  connect: () => {
    throw new Error('not yet')
  },
}
