/** The models that the bundled price list (@pydantic/genai-prices) knows of a provider. */
import { calcPrice, findProvider, type Provider } from '@pydantic/genai-prices'

import { VENDORS, type PricedProvider } from './cost-list.ts'

/** By the list's name of the provider: there are only so many. */
const known = new Map<string, readonly string[]>()

/**
 * Their names, in the list's order; none where it does not know the provider. Of AZURE_OPENAI none, since who deploys a model
 * there gives it a name.
 */
export function knownModels({ kind, baseUrl }: PricedProvider): readonly string[] {
  const provider = listed(kind, baseUrl)
  if (provider === undefined) return NONE
  let models = known.get(provider.id)
  if (models === undefined) known.set(provider.id, (models = modelsOf(provider)))
  return models
}

const NONE: readonly string[] = []

function listed(kind: string, baseUrl: string | null): Provider | undefined {
  if (kind === 'AZURE_OPENAI') return undefined
  const vendor = VENDORS.get(kind)
  if (vendor !== undefined) return findProvider({ providerId: vendor.id })
  return kind === 'OPENAI_COMPATIBLE' && baseUrl !== null ? findProvider({ providerApiUrl: baseUrl }) : undefined
}

/** Some of the list's entries are not of a model, but of all whose names begin so. */
function modelsOf(provider: Provider): string[] {
  return provider.models
    .filter(({ id, deprecated }) => deprecated !== true && !id.endsWith('-') && isFound(provider, id))
    .map(({ id }) => id)
}

function isFound(provider: Provider, id: string): boolean {
  return calcPrice({}, id, { provider })?.model.id === id
}
