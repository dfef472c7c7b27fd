/** 1/φ: its multiples, taken modulo 1, fill the unit interval as evenly as a sequence can (Weyl; Knuth, TAOCP 6.4). */
const GOLDEN = 0.6180339887498949

/** An alias's place in its sequence of decisions. It begins at random, so that proxies differ. */
export class Turns {
  private readonly start = Math.random()
  private count = Math.floor(Math.random() * 1_000_000)

  /** A whole number, one more each time. */
  turn(): number {
    return this.count++
  }

  /** A number in [0, 1); however few are drawn, they are spread evenly. */
  draw(): number {
    return (this.start + this.count++ * GOLDEN) % 1
  }
}
