/** In a slot stands a row's number and one. */
const FREE = 0
const FIRST_SLOTS = 16
/** Each grows by itself: at once, a hundred thousand rows would take as long as requests must not wait. */
const SHARDS = 128
/** FNV-1a, 32 bits. */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * Finds rows by a key that stands at the same place of each: for a hundred thousand it takes 2 MB, where a Map and its keys
 * would take ten. Open addressing with linear probing, at most half full. Of plain arrays: what typed ones lie in is never
 * moved, and keeps the memory around it from being given back.
 */
export class RowIndex {
  private readonly offset: number
  private readonly length: number
  private shards: number[][] = Array.from({ length: SHARDS }, () => freeSlots(FIRST_SLOTS))
  /** Of each shard. */
  private used = Array.from<number>({ length: SHARDS }).fill(0)
  private total = 0

  /**
   * @param offset where a row's key begins
   * @param length of each key
   */
  constructor(offset: number, length: number) {
    this.offset = offset
    this.length = length
  }

  get size(): number {
    return this.total
  }

  /** @returns -1 if there is none */
  find(rows: readonly string[], key: string): number {
    const sum = this.hash(key, 0)
    const slots = this.shards[shardOf(sum)]!
    return slots[this.slotOf(slots, sum, rows, key)]! - 1
  }

  /** The key must be new. */
  add(rows: readonly string[], row: number, key: string): void {
    const sum = this.hash(key, 0)
    const shard = shardOf(sum)
    if ((this.used[shard]! + 1) * 2 > this.shards[shard]!.length) this.double(shard, rows)
    const slots = this.shards[shard]!
    slots[this.slotOf(slots, sum, rows, key)] = row + 1
    this.used[shard]!++
    this.total++
  }

  /** Does nothing if the key is another row's, or none's. */
  remove(rows: readonly string[], row: number, key: string): void {
    const sum = this.hash(key, 0)
    const shard = shardOf(sum)
    const slots = this.shards[shard]!
    const last = slots.length - 1
    let hole = this.slotOf(slots, sum, rows, key)
    if (slots[hole] !== row + 1) return
    // Those behind it that had to give way to it move up.
    for (let slot = (hole + 1) & last; slots[slot] !== FREE; slot = (slot + 1) & last) {
      const home = this.hash(rows[slots[slot]! - 1]!, this.offset) & last
      if (((slot - home) & last) < ((slot - hole) & last)) continue
      slots[hole] = slots[slot]!
      hole = slot
    }
    slots[hole] = FREE
    this.used[shard]!--
    this.total--
  }

  copy(): RowIndex {
    const copy = new RowIndex(this.offset, this.length)
    copy.shards = this.shards.map((slots) => slots.slice())
    copy.used = this.used.slice()
    copy.total = this.total
    return copy
  }

  /** Where the key stands, or would. */
  private slotOf(slots: readonly number[], sum: number, rows: readonly string[], key: string): number {
    const last = slots.length - 1
    let slot = sum & last
    while (slots[slot] !== FREE && !rows[slots[slot]! - 1]!.startsWith(key, this.offset)) slot = (slot + 1) & last
    return slot
  }

  private double(shard: number, rows: readonly string[]): void {
    const before = this.shards[shard]!
    const slots = freeSlots(before.length * 2)
    const last = slots.length - 1
    for (const entry of before) {
      if (entry === FREE) continue
      let slot = this.hash(rows[entry - 1]!, this.offset) & last
      while (slots[slot] !== FREE) slot = (slot + 1) & last
      slots[slot] = entry
    }
    this.shards[shard] = slots
  }

  private hash(text: string, from: number): number {
    let sum = FNV_BASIS
    for (let i = from; i < from + this.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), FNV_PRIME)
    return sum ^ (sum >>> 15)
  }
}

/** By the highest bits; the lowest choose the slot. */
function shardOf(sum: number): number {
  return (sum >>> 25) & (SHARDS - 1)
}

function freeSlots(count: number): number[] {
  return Array.from<number>({ length: count }).fill(FREE)
}
