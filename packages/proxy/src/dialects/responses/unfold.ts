/** A whole response said as a stream, in the order in which OpenAI streams one. Values stay as they are spelt. */
import type { StreamedForm } from '../../stream/forms.ts'
import { inOneLine, refuse, unlessRefused } from '../../stream/json-fold.ts'
import { readItems, readMembers, writeMembers, type Members } from '../../stream/json-source.ts'
import { Events } from './events-write.ts'

/** Characters of a stream: it says an answer several times. */
const MOST_LENGTH = 16_777_216
const TERMINAL: Readonly<Record<string, string>> = {
  '"completed"': 'response.completed',
  '"incomplete"': 'response.incomplete',
}

/**
 * @param answer JSON, latin1
 * @returns null for what is no whole response
 */
export function unfoldResponse(answer: string): StreamedForm | null {
  return unlessRefused(() => {
    const events = new Unfolding(inOneLine(answer)).events()
    return events.length > MOST_LENGTH ? null : { events, ends: [events.length], usagePart: -1 }
  })
}

class Unfolding {
  private readonly numbered = new Events()
  private readonly response: string

  /** @param response without line ends */
  constructor(response: string) {
    this.response = response
  }

  events(): string {
    const response = readMembers(this.response)
    const end = TERMINAL[response.get('status') ?? ''] ?? refuse('a response that has not ended')
    if (JSON.parse(response.get('error') ?? 'null')) refuse('an error')
    const items = readItems(response.get('output') ?? refuse('no output'))
    const begun = writeMembers(this.begun(response))
    let events =
      this.say('response.created', `"response":${begun}`) + this.say('response.in_progress', `"response":${begun}`)
    for (const [index, item] of items.entries()) events += this.item(item, index)
    return events + this.say(end, `"response":${this.response}`)
  }

  private begun(response: Members): Map<string, string> {
    const begun = new Map(response)
    begun.set('status', '"in_progress"')
    begun.set('output', '[]')
    for (const name of ['usage', 'completed_at', 'incomplete_details']) if (begun.has(name)) begun.set(name, 'null')
    return begun
  }

  private item(item: Members, index: number): string {
    const type = item.get('type') ?? ''
    const place = `"item_id":${item.get('id') ?? '""'},"output_index":${index}`
    const added = this.say(
      'response.output_item.added',
      `"output_index":${index},"item":${writeMembers(beginning(item))}`,
    )
    const said = added + this.inside(type, item, place)
    return said + this.say('response.output_item.done', `"output_index":${index},"item":${writeMembers(item)}`)
  }

  private inside(type: string, item: Members, place: string): string {
    switch (type) {
      case '"message"':
        return this.parts(item.get('content'), place)
      case '"reasoning"':
        return this.summary(item.get('summary'), place) + this.parts(item.get('content'), place)
      case '"function_call"':
        return this.text(
          'response.function_call_arguments',
          'arguments',
          item.get('arguments'),
          place,
          `"name":${item.get('name') ?? '""'},`,
        )
      case '"custom_tool_call"':
        return this.text('response.custom_tool_call_input', 'input', item.get('input'), place)
      default:
        return ''
    }
  }

  private parts(content: string | undefined, item: string): string {
    let events = ''
    for (const [i, part] of itemsOf(content).entries()) {
      const place = `${item},"content_index":${i}`
      const type = part.get('type') ?? ''
      events += this.say('response.content_part.added', `${place},"part":${writeMembers(beginning(part))}`)
      events += this.part(type, part, place)
      events += this.say('response.content_part.done', `${place},"part":${writeMembers(part)}`)
    }
    return events
  }

  private part(type: string, part: Members, place: string): string {
    if (type === '"refusal"') return this.text('response.refusal', 'refusal', part.get('refusal'), place)
    if (type === '"reasoning_text"') return this.text('response.reasoning_text', 'text', part.get('text'), place)
    if (type !== '"output_text"') return ''
    const logprobs = `"logprobs":${part.get('logprobs') ?? '[]'}`
    const annotations = itemsOf(part.get('annotations')).map((annotation, i) =>
      this.say(
        'response.output_text.annotation.added',
        `${place},"annotation_index":${i},"annotation":${writeMembers(annotation)}`,
      ),
    )
    return this.text('response.output_text', 'text', part.get('text'), `${place},${logprobs}`) + annotations.join('')
  }

  private summary(paragraphs: string | undefined, item: string): string {
    let events = ''
    for (const [i, part] of itemsOf(paragraphs).entries()) {
      const place = `${item},"summary_index":${i}`
      events += this.say('response.reasoning_summary_part.added', `${place},"part":${writeMembers(beginning(part))}`)
      events += this.text('response.reasoning_summary_text', 'text', part.get('text'), place)
      events += this.say('response.reasoning_summary_part.done', `${place},"part":${writeMembers(part)}`)
    }
    return events
  }

  /**
   * All of it in one piece: a text cut up would tell no more, and its tokens are not known.
   * @param more members of the event that ends it
   */
  private text(type: string, name: string, text: string | undefined, place: string, more = ''): string {
    if (text === undefined || !text.startsWith('"')) refuse('a text that is none')
    const delta = text === '""' ? '' : this.say(`${type}.delta`, `${place},"delta":${text}`)
    return delta + this.say(`${type}.done`, `${place},${more}"${name}":${text}`)
  }

  private say(type: string, members: string): string {
    return this.numbered.event(type, members)
  }
}

const EMPTY: Readonly<Record<string, string>> = {
  status: '"in_progress"',
  content: '[]',
  summary: '[]',
  annotations: '[]',
  logprobs: '[]',
  text: '""',
  refusal: '""',
  arguments: '""',
  input: '""',
}

/** What is told one after another. */
const TOLD = /^"(?:message|reasoning|function_call|custom_tool_call|output_text|refusal|reasoning_text|summary_text)"$/

/** An item, or a part of one, before anything of it is said. */
function beginning(whole: Members): Map<string, string> {
  const begun = new Map(whole)
  if (!TOLD.test(whole.get('type') ?? '')) return begun
  for (const name of begun.keys()) if (Object.hasOwn(EMPTY, name)) begun.set(name, EMPTY[name]!)
  begun.delete('encrypted_content')
  return begun
}

function itemsOf(source: string | undefined): Map<string, string>[] {
  return source === undefined || source === 'null' ? [] : readItems(source)
}
