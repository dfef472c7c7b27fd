/** What providers of each API may say, said the same in each client's, whole and streamed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { CLIENTS_OF, heard, heardStream, PATHS, question, streamedQuestion } from './dialects/clients.ts'
import { aliasOf, REPLAYED_BY } from './dialects/kinds.ts'
import { replayAnswer, replayStream } from './dialects/replay.ts'
import { saidByEvents } from './dialects/said-events.ts'
import { saidBy } from './dialects/said.ts'
import { assertRecorded, assertSame } from './dialects/same.ts'
import { SCENARIO_NAMES, SCENARIOS, toldIn, type Scenario, type ScenarioName } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { eventsIn } from './dialects/speakers-events.ts'
import { answerIn, SPOKEN } from './dialects/speakers.ts'

const scene = useDialects()
/** Those whose usage differs. */
const RECORDED: readonly ScenarioName[] = ['text', 'reasoning', 'a cached prompt']

for (const api of SPOKEN) {
  const kind = REPLAYED_BY[api]
  describe(`${kind} says`, () => {
    for (const name of SCENARIO_NAMES) {
      const scenario: Scenario = SCENARIOS[name]
      for (const client of CLIENTS_OF[api]) {
        test(`${name}, to ${client}`, async () => {
          const said = toldIn(api, scenario)
          const json = answerIn(api, scenario)
          assert.deepEqual(saidBy(api, JSON.parse(json)), said, 'the fixture says what it is to')
          const { answer } = await scene.ask(replayAnswer(json), PATHS[client], question(client, aliasOf(kind)))
          assertSame(client, heard(client, answer, client !== api), said)
          if (RECORDED.includes(name)) assertRecorded(await scene.recordOf(answer), said)
        })

        test(`${name}, to ${client}, streamed`, async () => {
          const said = toldIn(api, scenario)
          const lines = eventsIn(api, scenario)
          assert.deepEqual(
            saidByEvents(
              api,
              lines.map((line) => JSON.parse(line)),
            ),
            said,
            'the fixture says what it is to',
          )
          const body = streamedQuestion(client, aliasOf(kind))
          for (const cut of ['event', 1, { seed: 3 }] as const) {
            const { answer } = await scene.ask(replayStream(api, lines, cut), PATHS[client], body)
            assertSame(client, heardStream(client, answer, client !== api), said)
            if (cut === 'event' && RECORDED.includes(name)) assertRecorded(await scene.recordOf(answer), said)
          }
        })
      }
    }
  })
}
