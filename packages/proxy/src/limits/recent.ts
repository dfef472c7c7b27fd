/** A map of what was set lately: for at least one of {@link Recent.age}'s intervals, and at most two. */
export class Recent<V> {
  #now = new Map<string, V>()
  #earlier = new Map<string, V>()

  get(key: string): V | undefined {
    return this.#now.get(key) ?? this.#earlier.get(key)
  }

  set(key: string, value: V): void {
    this.#now.set(key, value)
  }

  /** Each key's once, as it was set last. */
  values(): V[] {
    return [...new Map([...this.#earlier, ...this.#now]).values()]
  }

  age(): void {
    this.#earlier = this.#now
    this.#now = new Map()
  }
}
