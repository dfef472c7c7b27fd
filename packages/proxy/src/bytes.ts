/**
 * Bytes that arrive in pieces, of which one is the usual case. Several are copied together as they come: a sender of tiny
 * pieces would otherwise cost a hundred times their size in Buffer objects.
 */
export class Bytes {
  length = 0
  private bytes: Buffer | null = null
  /** Whether {@link bytes} is our own, with room at its end, or still the first piece itself. */
  private owned = false

  append(piece: Buffer): void {
    const length = this.length + piece.length
    if (this.bytes === null) {
      this.bytes = piece
    } else {
      if (!this.owned || length > this.bytes.length) this.grow(length)
      piece.copy(this.bytes, this.length)
    }
    this.length = length
  }

  /** All of them, to be read only; gone from here. */
  take(): Buffer {
    const taken = this.bytes?.subarray(0, this.length) ?? Buffer.alloc(0)
    this.bytes = null
    this.length = 0
    this.owned = false
    return taken
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed * 2, 4_096))
    this.bytes!.copy(larger, 0, 0, this.length)
    this.bytes = larger
    this.owned = true
  }
}
