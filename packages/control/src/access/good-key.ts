import type { Em } from '../db/database.ts'
import { unauthenticated } from '../graphql/errors.ts'
import type { Actor } from '../revisions/change.ts'

/**
 * A change may have waited for its turn for seconds, and a WebSocket be open for days: its key is looked at again.
 * @param em in the transaction of the change
 * @throws GraphQLError UNAUTHENTICATED if the key was revoked since the operation came
 */
export async function requireGoodKey(em: Em, { keyId }: Pick<Actor, 'keyId'>): Promise<void> {
  if (keyId === null) return
  const [row] = await em.execute<{ good: boolean }[]>(
    'select exists (select from admin_key where id = ? and revoked_at is null) as good',
    [keyId],
  )
  if (!row!.good) throw unauthenticated('the key was revoked')
}
