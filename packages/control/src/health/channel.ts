/** The channel on which it is announced that a proxy has reported its health. */
export const HEALTH_CHANNEL = 'millrace_health'
