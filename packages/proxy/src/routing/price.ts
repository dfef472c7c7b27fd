/** What answers cost. */
import { PriceList, providerModelOf, routePrice, type Price } from '@millrace/shared'

import type { CompiledRoute } from '../snapshot/compiled.ts'
import type { Found } from './found.ts'

const LIST = new PriceList()

/** The provider's own name of the model that a route asks it for. */
export function modelFor({ providerModel }: CompiledRoute, { model, matched }: Found): string {
  return providerModelOf(providerModel, model, matched)
}

/** The route's own prices over the price list's; null where neither says. */
export function priceOf({ provider, prices }: CompiledRoute, model: string): Price | null {
  const list = LIST.priceOf(provider, model)
  const own = prices.inputPrice !== null || prices.outputPrice !== null || prices.cachedInputPrice !== null
  return own ? routePrice(prices, list) : list
}
