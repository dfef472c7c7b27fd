import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Part, ToolCallPart } from '../../canonical/content.ts'
import { NO_PARAMS, type ChatRequest, type Message } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { readResponsesRequest } from './request-read.ts'
import { encodeResponses } from './request-write.ts'

const text = fc.string({ minLength: 1, unit: 'binary' })
const id = fc.uuid().map((one) => `call_${one}`)
const name = fc.stringMatching(/^[a-z_]{1,12}$/)
const base64 = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const textPart = text.map((value): Part => ({ type: 'text', text: value }))
const imagePart = fc.oneof(
  fc.webUrl().map((url): Part => ({ type: 'image', source: { from: 'url', url }, detail: 'auto' })),
  base64.map((data): Part => ({
    type: 'image',
    source: { from: 'data', mediaType: 'image/png', data },
    detail: 'low',
  })),
)
const filePart = base64.map((data): Part => ({
  type: 'file',
  source: { from: 'data', mediaType: 'application/pdf', data },
  filename: 'a.pdf',
}))
const call = fc
  .record({ id, name, args: fc.json(), custom: fc.boolean() })
  .map(({ id: callId, name: tool, args, custom }): ToolCallPart => ({
    type: 'tool_call',
    id: callId,
    name: tool,
    arguments: args,
    ...(custom && { kind: 'custom' as const }),
  }))
const thought = fc
  .record({ said: text, key: fc.base64String({ minLength: 1 }), rs: fc.uuid() })
  .map(({ said, key, rs }): Part => ({
    type: 'reasoning',
    text: said,
    signature: { origin: 'responses', value: `rs_${rs}:${key}` },
    summary: true,
  }))
const refused = text.map((value): Part => ({ type: 'refusal', text: value }))

/** A question, and what the model does about it, the results of its calls included. */
const turn = fc
  .record({
    question: fc.array(fc.oneof(textPart, imagePart, filePart), { minLength: 1, maxLength: 3 }),
    answer: fc.array(fc.oneof(textPart, refused, thought), { minLength: 1, maxLength: 4 }),
    calls: fc.uniqueArray(call, { maxLength: 3, selector: (one) => one.id }),
    results: fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 2 }),
  })
  .map(({ question, answer, calls, results }): Message[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: [...answer, ...calls] },
    ...(calls.length === 0
      ? []
      : [
          {
            role: 'user' as const,
            content: calls.map((one): Part => ({
              type: 'tool_result',
              id: one.id,
              name: one.name,
              content: results as never,
              ...(one.kind === 'custom' && { kind: 'custom' as const }),
            })),
          },
        ]),
  ])

const tools = fc.uniqueArray(
  fc.record({ name, strict: fc.boolean(), custom: fc.boolean() }).map((tool) =>
    tool.custom
      ? {
          type: 'custom' as const,
          name: tool.name,
          description: null,
          format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'a+' } },
        }
      : {
          type: 'function' as const,
          name: tool.name,
          description: 'does it',
          parameters: { type: 'object', properties: { a: { type: 'number', maximum: 1e300 } } },
          strict: tool.strict,
        },
  ),
  { minLength: 1, maxLength: 3, selector: (one) => one.name },
)

const request = fc
  .record({
    system: fc.option(text, { nil: null }),
    turns: fc.array(turn, { minLength: 1, maxLength: 3 }),
    tools,
    choice: fc.constantFrom('auto', 'none', 'required', 'tool', 'allowed', null),
    parallel: fc.constantFrom(true, false, null),
    format: fc.constantFrom(null, 'json', 'schema'),
    effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', null),
    shown: fc.constantFrom(true, null),
    temperature: fc.constantFrom(0, 0.5, null),
    maxTokens: fc.constantFrom(16, 4_096, null),
    topLogprobs: fc.constantFrom(5, null),
    stream: fc.boolean(),
  })
  .map((made): ChatRequest => {
    const names = made.tools.map((one) => one.name)
    const [first = ''] = names
    return {
      kind: 'chat',
      system: made.system === null ? [] : [{ type: 'text', text: made.system }],
      messages: joinNeighbours(made.turns.flat()),
      tools: made.tools,
      toolChoice:
        made.choice === null
          ? null
          : made.choice === 'tool'
            ? { type: 'tool', name: first }
            : made.choice === 'allowed'
              ? { type: 'allowed', names, required: true }
              : { type: made.choice },
      parallelToolCalls: made.parallel,
      format:
        made.format === 'schema'
          ? { type: 'schema', name: 'answer', description: null, schema: { type: 'object' }, strict: true }
          : made.format && { type: 'json' },
      reasoning:
        made.effort === null && made.shown === null
          ? null
          : { effort: made.effort, budget: null, enabled: made.effort === 'none' ? false : null, shown: made.shown },
      params: {
        ...NO_PARAMS,
        temperature: made.temperature,
        maxTokens: made.maxTokens,
        topLogprobs: made.topLogprobs,
        logprobs: made.topLogprobs === null ? null : true,
        user: 'ann',
        metadata: { trace: 'x' },
        verbosity: 'low',
        serviceTier: 'flex',
        promptCacheKey: 'k',
      },
      stream: made.stream,
      named: {},
      unknown: [],
    }
  })

function joinNeighbours(messages: readonly Message[]): Message[] {
  const joined: Message[] = []
  for (const message of messages) {
    const last = joined.at(-1)
    if (last?.role === message.role)
      joined[joined.length - 1] = { ...last, content: [...last.content, ...message.content] }
    else joined.push(message)
  }
  return joined
}

test('what a request says is what is read of the body made of it', () => {
  fc.assert(
    fc.property(request, (asked) => {
      const { body } = encodeResponses(asked, { model: 'gpt-5', stream: asked.stream })
      const { named: _, unknown, echo: __, ...again } = readResponsesRequest(JSON.parse(body) as JsonObject)
      const { named: ___, unknown: ____, ...before } = asked
      assert.deepEqual(again, before)
      assert.deepEqual(unknown, [])
    }),
    { numRuns: 300 },
  )
})
