import { NEEDS_CREDENTIAL } from '@millrace/shared'

import type { Provider } from './provider.ts'

export const gemini: Provider = {
  needsCredential: NEEDS_CREDENTIAL.GEMINI,
  authorize: () => [],
  connect: () => {
    throw new Error('not yet')
  },
}
