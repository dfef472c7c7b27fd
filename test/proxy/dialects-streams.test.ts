/** Real providers' streams, replayed in their own API, whole and cut anywhere, say the same in each client's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { CLIENTS_OF, heardStream, PATHS, streamedQuestion, TALKERS } from './dialects/clients.ts'
import { aliasOf, REPLAYED_BY } from './dialects/kinds.ts'
import { fails, linesOf, recordedStreams, recordingsMissing, type Recorded } from './dialects/recordings.ts'
import { replayStream, type Cut } from './dialects/replay.ts'
import { saidByEvents } from './dialects/said-events.ts'
import { assertRecorded, assertSame } from './dialects/same.ts'
import { useDialects } from './dialects/scene.ts'

const scene = useDialects()
const STREAMS = recordedStreams()
const CUTS: readonly Cut[] = ['event', 7, 1_000, { seed: 1 }, { seed: 2 }]
/** Long enough for any cut to meet it, and not so long that each byte of it is a packet. */
const SHORT = 6_000

function cutsOf({ text }: Recorded): readonly Cut[] {
  return text.length < SHORT ? [...CUTS, 1] : CUTS.filter((cut) => cut !== 7)
}

describe('recorded streams', { skip: recordingsMissing }, () => {
  test('are there', () => assert.ok(STREAMS.length >= 20))

  for (const recorded of STREAMS.filter((one) => !fails(one))) {
    const { name, dialect, parsed } = recorded
    for (const client of CLIENTS_OF[dialect]) {
      test(`${name} for ${client}`, async () => {
        const said = saidByEvents(dialect, parsed)
        let first = ''
        for (const cut of cutsOf(recorded)) {
          const body = streamedQuestion(client, aliasOf(REPLAYED_BY[dialect]))
          const { answer } = await scene.ask(replayStream(dialect, linesOf(recorded), cut), PATHS[client], body)
          // It is one answer, however it is cut.
          const text = withoutIds(answer.text)
          if (first === '') {
            assertSame(client, heardStream(client, answer, client !== dialect), said)
            assertRecorded(await scene.recordOf(answer), said)
            first = text
          } else assert.equal(text, first, `cut ${JSON.stringify(cut)}`)
        }
      })
    }
  }

  for (const recorded of STREAMS.filter(fails)) {
    for (const client of TALKERS) {
      test(`${recorded.name} for ${client}`, async () => {
        const body = streamedQuestion(client, aliasOf(REPLAYED_BY[recorded.dialect]))
        const { answer } = await scene.ask(replayStream(recorded.dialect, linesOf(recorded)), PATHS[client], body)
        // Nothing was said before it: so it is no stream that fails, but an answer that says so.
        assert.equal(answer.status, 502, answer.text)
        const { type, error } = JSON.parse(answer.text)
        assert.equal(type, client === 'messages' ? 'error' : undefined)
        assert.ok(error.message.length > 0)
        const { attempts } = await scene.recordOf(answer)
        assert.equal(attempts[0]!.errorClass, 'stream_error')
      })
    }
  }
})

/** Those that are made for each answer, also within what is sealed; and when. */
function withoutIds(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}/g, 'ID')
    .replaceAll(/"mr1\.[^"]*"/g, 'SEALED')
    .replaceAll(/"(?:created|created_at|completed_at)":\d+/g, 'WHEN')
}
