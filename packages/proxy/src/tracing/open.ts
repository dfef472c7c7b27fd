import type { ProxyIdentity, Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Tracing } from './tracing.ts'

/**
 * Gets ready for traces, where they are wanted.
 * @returns null: they are not, and nothing was loaded for them
 */
export async function openTracing(
  { OTEL_EXPORTER_OTLP_ENDPOINT }: Settings,
  identity: ProxyIdentity,
  log: Logger,
): Promise<Tracing | null> {
  if (OTEL_EXPORTER_OTLP_ENDPOINT === undefined || process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true')
    return null
  const { makeTracing } = await import('./make.ts')
  return makeTracing(identity, log)
}
