/** What has to be done, however often it fails. The process doesn't live on for it. */
export interface ErrandsOptions<T> {
  /** Resolves with whether it is done. Never rejects. */
  readonly carryOut: (errand: T) => Promise<boolean>
  /** How many are carried out at the same time; of those that have failed before, half as many. */
  readonly atOnce: number
  /** After which those that have failed are tried again. */
  readonly retryMs: number
}

export class Errands<T> {
  private readonly options: ErrandsOptions<T>
  /** In their order. */
  private readonly pending = new Map<string, T>()
  private readonly failed = new Map<string, T>()
  /** Of those that have failed: whose time has come. */
  private readonly again = new Map<string, T>()
  private underWay = 0
  /** Of those under way: which have failed before. */
  private triedAgain = 0
  private retry: NodeJS.Timeout | null = null

  constructor(options: ErrandsOptions<T>) {
    this.options = options
  }

  /** How many there are to be begun, or begun again. */
  get size(): number {
    return this.pending.size + this.failed.size + this.again.size
  }

  /** @param name of what is to be done. One that was given before under it, and is not under way, need not be done any more */
  give(name: string, errand: T): void {
    this.failed.delete(name)
    this.again.delete(name)
    this.pending.set(name, errand)
    this.begin()
  }

  /** Those that are not under way need not be done any more. */
  forget(): void {
    this.pending.clear()
    this.failed.clear()
    this.again.clear()
  }

  /** Those of the first try before those that have failed: what is given now is not to wait for what fails for an hour. */
  private begin(): void {
    while (this.underWay < this.options.atOnce && this.pending.size > 0) this.beginFirst(this.pending, false)
    const most = Math.ceil(this.options.atOnce / 2)
    while (this.underWay < this.options.atOnce && this.triedAgain < most && this.again.size > 0)
      this.beginFirst(this.again, true)
  }

  private beginFirst(waiting: Map<string, T>, again: boolean): void {
    const [name, errand] = waiting.entries().next().value!
    waiting.delete(name)
    void this.run(name, errand, again)
  }

  private async run(name: string, errand: T, again: boolean): Promise<void> {
    this.underWay++
    if (again) this.triedAgain++
    const done = await this.options.carryOut(errand)
    this.underWay--
    if (again) this.triedAgain--
    if (!done && !this.pending.has(name)) {
      this.failed.set(name, errand)
      this.retry ??= setTimeout(() => this.tryAgain(), this.options.retryMs).unref()
    }
    this.begin()
  }

  private tryAgain(): void {
    this.retry = null
    for (const [name, errand] of this.failed) this.again.set(name, errand)
    this.failed.clear()
    this.begin()
  }
}
