/** Something that can be in a {@link Slots}. */
export interface Slotted {
  /** Where it is; -1: nowhere. Owned by the list. */
  slot: number
}

/**
 * The things that are under way, in no order; adding and removing cost the same however many there are.
 *
 * Not a Set: under steady adding and deleting V8 makes a Set's table anew all the time, and each table left behind keeps
 * what was in it from being collected until the next full collection. A third of all requests then outlived their end,
 * at three times the CPU a request.
 */
export class Slots<T extends Slotted> {
  private readonly items: T[] = []

  get size(): number {
    return this.items.length
  }

  add(item: T): void {
    item.slot = this.items.length
    this.items.push(item)
  }

  /** Does nothing for an item that is not in it. */
  remove(item: T): void {
    const { slot } = item
    if (slot < 0) return
    const last = this.items.pop()!
    if (last !== item) {
      this.items[slot] = last
      last.slot = slot
    }
    item.slot = -1
  }

  /** Visits each item; any may be removed meanwhile. One that a removal has moved may be visited twice. */
  forEach(visit: (item: T) => void): void {
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i]
      if (item !== undefined) visit(item)
    }
  }
}
