/** Beyond, all are forgotten: clients make names up. */
const MOST = 1_000

/** What names tell, read once each: requests name the same few models again and again. */
export class ByName<T> {
  private readonly known = new Map<string, T>()
  private readonly read: (name: string) => T

  /** @param read gets the name in lower case */
  constructor(read: (name: string) => T) {
    this.read = read
  }

  of(name: string): T {
    let told = this.known.get(name)
    if (told === undefined) {
      if (this.known.size >= MOST) this.known.clear()
      told = this.read(name.toLowerCase())
      this.known.set(name, told)
    }
    return told
  }
}
