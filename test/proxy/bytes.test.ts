/** What passes through is not re-encoded: only `model` changes, both ways, and the usage that nobody asked for goes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, completionEvents, USAGE } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const MESSAGES = '"messages":[{"role":"user","content":"x"}]'

describe('a request reaches the provider byte for byte, but for its model', () => {
  // MODEL stands where the model's name does.
  const bodies: [string, string][] = [
    ['plain', `{"model":"MODEL",${MESSAGES}}`],
    ['the model at the end', `{${MESSAGES},"model":"MODEL"}`],
    ['spaces and line ends', ` {\r\n\t"messages" : [ {"role":"user", "content":"x"} ] ,\n "model"\t:\n"MODEL" }\n`],
    [
      'numbers in odd spellings',
      `{"model":"MODEL","temperature":1.0,"top_p":1e0,"seed":12345678901234567890,"n":-0,"x":1E+2,${MESSAGES}}`,
    ],
    ['nulls and unknown fields', `{"model":"MODEL","stop":null,"unheard_of":{"a":[null,true,{}]},${MESSAGES}}`],
    [
      "escapes and what they needn't be",
      `{"model":"MODEL","messages":[{"role":"user","content":"\\u00e9\\/\\u2028 \\ud83d\\ude00 \\ud800 é 😀"}]}`,
    ],
    [
      'keys that JavaScript treats specially',
      `{"model":"MODEL","__proto__":{"model":"x"},"constructor":1,${MESSAGES}}`,
    ],
    ['an order of keys that JavaScript would change', `{"model":"MODEL","b":1,"2":2,"1":1,${MESSAGES}}`],
    ['other keys twice', `{"model":"MODEL","seed":1,"seed":2,${MESSAGES}}`],
    ['models elsewhere', `{"metadata":{"model":"mine"},"tools":[{"model":"scene-alias"}],"model":"MODEL",${MESSAGES}}`],
    ['a model in a text', `{"messages":[{"role":"user","content":"\\"model\\":\\"scene-alias\\""}],"model":"MODEL"}`],
    ['stream that is false', `{"stream":false,"stream_options":null,"model":"MODEL",${MESSAGES}}`],
    ['a megabyte', `{"model":"MODEL","pad":"${'é'.repeat(500_000)}",${MESSAGES}}`],
  ]
  for (const [name, body] of bodies) {
    test(name, async () => {
      const answer = await scene.chat(body.replace('MODEL', scene.alias))
      assert.equal(answer.status, 200, answer.text)
      assert.equal(scene.upstream.last.body.toString(), body.replace('MODEL', scene.providerModel))
    })
  }

  test('an escaped key, an escaped value', async () => {
    const answer = await scene.chat(`{"mod\\u0065l":"scene\\u002dalias",${MESSAGES}}`)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(scene.upstream.last.body.toString(), `{"mod\\u0065l":"upstream-model",${MESSAGES}}`)
  })

  test('`model` twice: the last counts, and no other name goes upstream', async () => {
    const answer = await scene.chat(`{"model":"smuggled",${MESSAGES},"model":"scene-alias"}`)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(scene.upstream.last.json.model, scene.providerModel)
    assert.doesNotMatch(scene.upstream.last.body.toString(), /smuggled|scene-alias/)
  })

  test('a model that the provider calls by the same name: not a byte is touched', async () => {
    await scene.gateway.addAlias('same-name', scene.provider)
    await scene.gateway.untilServed()
    const body = `{ "model" : "same-name", ${MESSAGES} }`
    assert.equal((await scene.chat(body)).status, 200)
    assert.equal(scene.upstream.last.body.toString(), body)
  })

  test('a name that JSON must escape, and one that is not ASCII', async () => {
    for (const [alias, providerModel] of [
      ['quoted', 'a"b\\c'],
      ['accented', 'modèle-😀'],
    ] as const) {
      await scene.gateway.addAlias(alias, [{ provider: scene.provider, providerModel }])
      await scene.gateway.untilServed()
      const answer = await scene.chat(`{"model":"${alias}",${MESSAGES},"note":"é"}`)
      assert.equal(
        scene.upstream.last.body.toString(),
        `{"model":${JSON.stringify(providerModel)},${MESSAGES},"note":"é"}`,
      )
      assert.equal((JSON.parse(answer.text) as { model: string }).model, alias)
    }
  })
})

describe("a stream's usage", () => {
  const upstreamBody = async (body: string): Promise<string> => {
    const answer = await scene.chat(body)
    assert.equal(answer.status, 200, answer.text)
    return scene.upstream.last.body.toString()
  }
  const asked = /,?"stream_options":\{"include_usage":true\},?/

  test('is asked for, and nothing else is changed', async () => {
    const rest = `"temperature":1.0,"stream":true,"x":null,${MESSAGES}`
    const sent = await upstreamBody(`{"model":"scene-alias",${rest}}`)
    assert.deepEqual((JSON.parse(sent) as Record<string, unknown>)['stream_options'], { include_usage: true })
    assert.ok(sent.includes(rest), sent)
    assert.equal(sent.replace(asked, '').replaceAll(',', ''), `{"model":"upstream-model",${rest}}`.replaceAll(',', ''))
  })

  test('is asked for beside other options', async () => {
    const sent = await upstreamBody(
      `{"model":"scene-alias","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false},${MESSAGES}}`,
    )
    assert.deepEqual((JSON.parse(sent) as Record<string, unknown>)['stream_options'], {
      include_obfuscation: false,
      include_usage: true,
    })
  })

  test('is asked for where stream_options is null, or stands twice', async () => {
    for (const options of ['"stream_options":null', '"stream_options":{"include_usage":true},"stream_options":{}']) {
      const sent = await upstreamBody(`{"model":"scene-alias","stream":true,${options},${MESSAGES}}`)
      assert.equal(
        (JSON.parse(sent) as { stream_options: { include_usage: boolean } }).stream_options.include_usage,
        true,
        sent,
      )
    }
  })

  test('was asked for by the client: its words stand', async () => {
    const body = `{"model":"MODEL","stream":true,"stream_options": { "include_usage" : true },${MESSAGES}}`
    assert.equal(await upstreamBody(body.replace('MODEL', 'scene-alias')), body.replace('MODEL', 'upstream-model'))
  })
})

describe('an unstreamed answer reaches the client byte for byte, but for its model', () => {
  const rename = (text: string): string => text.replaceAll('"upstream-model"', '"scene-alias"')

  test('odd spellings', async () => {
    scene.upstream.next(behaviours.oddSpelling('upstream-model'))
    const answer = await scene.chat(scene.body())
    assert.equal(answer.text, rename(scene.upstream.last.sent.toString()))
    assert.match(answer.text, /"created": 1\.0, "float": 1e3, "big": 12345678901234567890, "neg": -0/)
  })

  for (const [name, body] of [
    [
      '`model` nested and in a text',
      '{"choices":[{"model":"mine","message":{"content":"\\"model\\":\\"upstream\\""}}],"model":"upstream-model"}',
    ],
    ['an escaped key', '{"mod\\u0065l":"upstream-model","choices":[]}'],
    ['no model at all', '{"choices":[{"index":0}],"x":1.0}'],
    ['`model` twice', '{"model":"upstream-model","choices":[],"model":"upstream-model"}'],
    ['a byte order of keys that JavaScript would change', '{"2":2,"1":1,"model":"upstream-model","choices":[]}'],
  ] as const) {
    test(name, async () => {
      scene.upstream.next(behaviours.raw(body))
      const answer = await scene.chat(scene.body())
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.text, rename(body))
    })
  }

  test('chunked, in pieces of 7 bytes', async () => {
    scene.upstream.next(behaviours.chunkedJson())
    const answer = await scene.chat(scene.body())
    assert.equal(answer.text, rename(scene.upstream.last.sent.toString()))
    assert.ok(answer.complete)
  })
})

describe('a stream reaches the client byte for byte, but for its model', () => {
  const framings: [string, Behaviour][] = [
    ['plain', behaviours.answer()],
    ['split at every byte', behaviours.everyByte()],
    ['in pieces of three bytes', behaviours.answer({ split: 3 })],
    ['all in one packet', behaviours.onePacket()],
    ['CRLF', behaviours.crlf()],
    ['CRLF, split at every byte', behaviours.answer({ newline: '\r\n', split: 1 })],
    ['CR alone', behaviours.cr()],
    ['CR alone, split at every byte', behaviours.answer({ newline: '\r', split: 1 })],
    ['no space after the colon', behaviours.noSpace()],
    ['comments before events', behaviours.comments()],
    ['event and id fields', behaviours.fields()],
    ['events of 300 KB', behaviours.bigEvents()],
    [
      'words that are not ASCII, split at every byte',
      behaviours.answer({ words: ['é', '😀', '漢字', '\u2028'], split: 1 }),
    ],
    [
      'words that look like JSON',
      behaviours.answer({ words: ['"model":"upstream-model"', '\n\ndata: [DONE]\n\n', '"usage":{}', '"error":{}'] }),
    ],
  ]
  for (const [name, behaviour] of framings) {
    for (const asked of [true, false]) {
      test(`${name}${asked ? ', usage asked for' : ''}`, async () => {
        scene.upstream.next(behaviour)
        const answer = await scene.chat(
          scene.body(scene.alias, { stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}) }),
        )
        assert.equal(answer.status, 200, answer.text)
        assert.ok(answer.complete)
        // The usage event goes whole, with what the provider has put before it; the texts escape their quotes.
        const sent = scene.upstream.last.sent.toString()
        const expected = asked ? sent : withoutUsage(sent)
        assert.equal(answer.text, expected.replaceAll('"model":"upstream-model"', '"model":"scene-alias"'))
        assert.equal(answer.text.includes('"usage":{"prompt_tokens"'), asked)
      })
    }
  }

  /** Takes out the one event that holds the usage, up to the blank line that ends it. */
  function withoutUsage(sent: string): string {
    const at = sent.indexOf(JSON.stringify(USAGE))
    assert.ok(at > 0, 'the provider was asked for usage')
    const blank = /\r\n\r\n|\n\n|\r\r/g
    let start = 0
    for (const {
      index,
      0: { length },
    } of sent.matchAll(blank)) {
      if (index > at) return sent.slice(0, start) + sent.slice(index + length)
      start = index + length
    }
    throw new Error('the usage event has no end')
  }

  test('the last event lacks its blank line', async () => {
    scene.upstream.next(behaviours.noLastBlankLine())
    const answer = await scene.chat(scene.body(scene.alias, { stream: true, stream_options: { include_usage: true } }))
    const expected = scene.upstream.last.sent.toString().replaceAll('"upstream-model"', '"scene-alias"')
    // Completing the event is no harm; a client needs it.
    assert.equal(answer.text.trimEnd(), expected)
  })

  test('usage in the last content chunk, as some providers send it unasked, stays there', async () => {
    const chunk = (content: string, usage: unknown): string =>
      JSON.stringify({
        object: 'chat.completion.chunk',
        model: 'upstream-model',
        choices: [{ index: 0, delta: { content } }],
        usage,
      })
    scene.upstream.next(behaviours.events([chunk('a', null), chunk('b', USAGE)]))
    const answer = await scene.chat(scene.body(scene.alias, { stream: true }))
    assert.equal(answer.text, scene.upstream.last.sent.toString().replaceAll('"upstream-model"', '"scene-alias"'))
  })

  test('an event whose data stands on several lines says the same to the client', async () => {
    const [first, ...rest] = completionEvents('upstream-model', true)
    const lines = first!.replace('"model":', '\ndata: "model":\ndata: ')
    scene.upstream.next(behaviours.events([lines, ...rest]))
    const answer = await scene.chat(scene.body(scene.alias, { stream: true, stream_options: { include_usage: true } }))
    const event = answer.text.slice(0, answer.text.indexOf('\n\n'))
    const data = event
      .split('\n')
      .map((line) => line.replace(/^data: ?/, ''))
      .join('\n')
    assert.deepEqual(JSON.parse(data), { ...(JSON.parse(first!) as object), model: 'scene-alias' })
  })
})
