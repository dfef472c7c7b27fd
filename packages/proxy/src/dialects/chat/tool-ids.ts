import { createHash } from 'node:crypto'

import type { ChatWireOptions } from './wire-options.ts'

const NINE = /^[A-Za-z0-9]{9}$/
/** OpenAI's. */
const LONGEST = 40

/** An id as the provider takes it. Of another form than it knows, it is made of the id's digest: the same each time. */
export function toolIdFor(id: string, form: ChatWireOptions['toolIds']): string {
  if (form === 'nine') return NINE.test(id) ? id : digest(id, 9)
  return form === 'short' && id.length > LONGEST ? `call_${digest(id, 24)}` : id
}

function digest(id: string, length: number): string {
  return createHash('sha256').update(id).digest('base64').replace(/[+/=]/g, '').slice(0, length)
}
