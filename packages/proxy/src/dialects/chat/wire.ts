import type { Wire } from '../../canonical/wire.ts'

export const chatWire: Wire = {
  pathOf: () => '/chat/completions',
  encode: () => {
    throw new Error('not yet')
  },
  read: () => null,
  reader: () => {
    throw new Error('not yet')
  },
  readError: (_status, body) => ({ message: String(body), type: null, code: null, param: null }),
}
