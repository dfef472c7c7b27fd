import { registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'

/** What a key may do. */
export const Role = enumOf(['ADMIN', 'EDITOR', 'VIEWER', 'PROXY'])
export type Role = keyof typeof Role

/** Each may also do what those after it may. PROXY stands apart. */
const LADDER: readonly Role[] = [Role.ADMIN, Role.EDITOR, Role.VIEWER]

registerEnumType(Role, {
  name: 'Role',
  valuesConfig: {
    ADMIN: { description: 'Also changes admin keys.' },
    EDITOR: { description: 'Also changes configuration and tokens.' },
    VIEWER: { description: 'Reads.' },
    PROXY: { description: 'What the data plane needs, and nothing else.' },
  },
})

/** Whether a key of this role may do what is for another. */
export function reaches(role: Role, needed: Role): boolean {
  if (role === needed) return true
  const [place, lowest] = [LADDER.indexOf(role), LADDER.indexOf(needed)]
  return place !== -1 && place < lowest
}
