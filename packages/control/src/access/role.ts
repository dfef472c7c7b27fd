import { registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'

/** What a key may do: ADMIN everything that an operator does, PROXY what the data plane needs and nothing else. */
export const Role = enumOf(['ADMIN', 'PROXY'])
export type Role = keyof typeof Role

registerEnumType(Role, { name: 'Role' })
