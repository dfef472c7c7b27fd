import type { RequestStatus } from '@millrace/shared'

/** How a request ended. */
export interface Outcome {
  readonly status: RequestStatus
  readonly errorClass: string | null
  readonly errorMessage: string | null
}

export const SUCCESS: Outcome = { status: 'SUCCESS', errorClass: null, errorMessage: null }
export const CANCELLED: Outcome = {
  status: 'CANCELLED',
  errorClass: 'client_cancelled',
  errorMessage: 'the client went before its answer was complete',
}
