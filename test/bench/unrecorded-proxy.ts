/** The proxy, but that no record is written and nothing is told of requests: what observing them costs is what it lacks. */
import { RecordQueue } from '../../packages/proxy/dist/records/queue.js'
import { Exchange } from '../../packages/proxy/dist/request/exchange.js'

interface Unrecorded {
  latencyMs: number
  began: number
  settle(): void
}

Object.assign(Exchange.prototype, {
  admitted(): void {},
  record(this: Unrecorded): void {
    this.latencyMs = performance.now() - this.began
    this.settle()
  },
})
// The requests that are refused or lost are not measured.
RecordQueue.prototype.push = () => {}

await import('../../packages/proxy/dist/main.js')
