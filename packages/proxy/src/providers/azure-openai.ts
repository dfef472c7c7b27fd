import { NEEDS_CREDENTIAL } from '@millrace/shared'

import type { Provider } from './provider.ts'

export const azureOpenAi: Provider = {
  needsCredential: NEEDS_CREDENTIAL.AZURE_OPENAI,
  authorize: () => [],
  connect: () => {
    throw new Error('not yet')
  },
}
