/**
 * Loaded before each test file: ends its process where something that is still open keeps it from ending, and says what.
 * Not `--test-force-exit`, which ends it before its last results are told (nodejs/node#64833).
 */
import { after } from 'node:test'

/** Beyond what it takes to close what a file has started. */
const GRACE_MS = 30_000

/** Not in the process that runs the files. */
if (process.env['NODE_TEST_CONTEXT'] !== undefined) after(() => void setTimeout(end, GRACE_MS).unref())

function end(): void {
  console.error(`ended, though there is still open: ${process.getActiveResourcesInfo().join(', ')}`)
  process.exit()
}
