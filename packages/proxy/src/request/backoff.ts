import type { RetryPolicy } from '@millrace/shared'

/** How long to wait before a provider is asked again. @param retries how often it has been, for this request */
export function backoffMs(
  { initialBackoffMs, multiplier, maxBackoffMs, jitter }: RetryPolicy,
  retries: number,
): number {
  const backoff = Math.min(maxBackoffMs, initialBackoffMs * multiplier ** retries)
  return backoff * (1 + jitter * (2 * Math.random() - 1))
}
