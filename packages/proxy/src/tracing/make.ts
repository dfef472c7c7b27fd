/** Puts tracing together, by what the environment says in OpenTelemetry's own names. */
import type { ProxyIdentity } from '@millrace/shared'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources'
import type { Logger } from 'pino'

import { MOST_EXPORTS, SpanQueue } from './export.ts'
import { Sampling } from './sampling.ts'
import { Tracing } from './tracing.ts'

/**
 * Where spans go, with which headers, when that takes too long, and whether they go compressed, the exporter reads itself
 * (`OTEL_EXPORTER_OTLP_*`).
 */
export function makeTracing({ id, version }: ProxyIdentity, log: Logger): Tracing {
  const resource = resourceFromAttributes({
    'service.name': 'millrace-proxy',
    'service.version': version,
    'service.instance.id': id,
    'process.pid': process.pid,
  }).merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }))
  const instrumentationScope = { name: 'millrace', version }
  const exporter = new OTLPTraceExporter({ concurrencyLimit: MOST_EXPORTS })
  return new Tracing(samplingBy(log), new SpanQueue(exporter, log), { resource, instrumentationScope })
}

/** As the specification wants it, what can't be used is as good as unset, and said. */
function samplingBy(log: Logger): Sampling {
  const { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG } = process.env
  try {
    return new Sampling(OTEL_TRACES_SAMPLER || undefined, OTEL_TRACES_SAMPLER_ARG || undefined)
  } catch (error) {
    log.warn(`${(error as Error).message}: all traces are kept that a sender does not want left out`)
    return new Sampling()
  }
}
