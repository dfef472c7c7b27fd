/** A process's share of the places at one provider, where several processes are one proxy. */
export interface PlaceShare {
  /** How many requests may be at the provider from here; Infinity: there is no limit. */
  readonly held: number
  /** The provider's limit is this from now on. @param inFlight requests at it from here */
  limit(limit: number | null, inFlight: number): void
  /** A place has become idle. @returns whether it has been given back, for others */
  released(): boolean
  /** One request more, or one less, waits for a place. */
  waiting(change: 1 | -1): void
  /** Looks for a place in the other processes. Resolves when it is here, or none is to be had; null: none can be. */
  ask(): Promise<void> | null
  /** The provider is no more. */
  forget(): void
}

/** Where shares come from. */
export interface PlaceSource {
  /** @param onGranted called when there are more places than before */
  shareOf(providerId: string, inFlight: () => number, onGranted: () => void): PlaceShare
}
