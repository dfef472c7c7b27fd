/** Tools that a provider runs itself, as Anthropic has them: its own, and what other APIs have for the same. */
import type { OwnTool } from '../../canonical/request.ts'
import { isObject, objectOf, type JsonObject } from '../../canonical/values.ts'

/** The one that every model with a search knows. */
const WEB_SEARCH = 'web_search_20250305'

/** @returns null: Anthropic has none like it */
export function writeOwnTool({ own: { origin, value } }: OwnTool): JsonObject | null {
  if (!isObject(value)) return null
  if (origin === 'messages') return value
  const isSearch = origin === 'responses' && /^web_search(?:_preview)?(?:_\d|$)/.test(String(value['type']))
  return isSearch ? webSearch(value) : null
}

function webSearch({ filters, user_location: place }: JsonObject): JsonObject {
  const domains = objectOf(filters)['allowed_domains']
  return {
    type: WEB_SEARCH,
    name: 'web_search',
    ...(Array.isArray(domains) && domains.length > 0 ? { allowed_domains: domains } : {}),
    ...(isObject(place) ? { user_location: place } : {}),
  }
}
