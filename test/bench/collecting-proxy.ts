/** The proxy, which collects all of its garbage when it is told to, and says what is left. It needs Node's --expose-gc. */
import type { Heap } from './cache-load.ts'

await import('../../packages/proxy/dist/main.js')

process.on('message', (message: { type?: unknown }) => {
  if (message.type !== 'collect') return
  // What one collection lets go of may have held on to more.
  for (let i = 0; i < 5; i++) globalThis.gc!()
  const { rss, heapUsed } = process.memoryUsage()
  const heap: Heap = { type: 'heap', rss, heapUsed }
  process.send!(heap)
})
