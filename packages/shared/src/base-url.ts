import { PRESETS } from './presets.ts'
import { DEFAULT_BASE_URLS, PROVIDER_SETTINGS, type ProviderKind } from './provider.ts'

/**
 * Where a provider lives by its kind and settings, if it doesn't say.
 * @param settings as they are stored: valid, with or without what has defaults
 * @returns null: it has to say
 */
export function baseUrlOf(kind: ProviderKind, settings: Readonly<Record<string, unknown>>): string | null {
  if (kind === 'BEDROCK') {
    const { region } = PROVIDER_SETTINGS.BEDROCK.parse(settings)
    return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  }
  if (kind === 'OPENAI_COMPATIBLE') {
    const { preset } = PROVIDER_SETTINGS.OPENAI_COMPATIBLE.parse(settings)
    return preset === null ? null : PRESETS[preset].baseUrl
  }
  return DEFAULT_BASE_URLS[kind] ?? null
}
