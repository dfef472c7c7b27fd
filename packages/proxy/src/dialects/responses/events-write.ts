/** The events of one stream: each is numbered. */
export class Events {
  /** The number of the next. */
  next = 0

  /** @param members of its data beside type and number, as JSON without the braces */
  event(type: string, members: string): string {
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.next++},${members}}\n\n`
  }
}

/** An item of a streamed answer, while it is said. */
export abstract class OpenItem {
  /** The item itself in the end, as JSON. */
  json = ''
  protected readonly events: Events
  /** Its place among the items of the answer. */
  readonly index: number
  protected readonly id: string
  /** By which events about it say so. */
  protected readonly place: string

  constructor(events: Events, index: number, id: string) {
    this.events = events
    this.index = index
    this.id = id
    this.place = `"item_id":"${id}","output_index":${index}`
  }

  /** @returns the events that end it; {@link json} is whole from then on */
  abstract end(status: ItemStatus): string

  protected added(item: object): string {
    return this.events.event(
      'response.output_item.added',
      `"output_index":${this.index},"item":${JSON.stringify(item)}`,
    )
  }

  protected done(item: object): string {
    this.json = JSON.stringify(item)
    return this.events.event('response.output_item.done', `"output_index":${this.index},"item":${this.json}`)
  }
}

export type ItemStatus = 'completed' | 'incomplete'
