/** `npm start`, as a new user meets it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { cleanEnvironment, endWithThisProcess } from './helpers/process.ts'
import { temporaryFolder, type TemporaryFolder } from './helpers/temporary.ts'
import { waitFor, within } from './helpers/wait.ts'
import { childrenOf, isAlive } from './start/process-table.ts'

const SCRIPT = fileURLToPath(new URL('../scripts/start.ts', import.meta.url))

/** A ready line that the launcher printed. */
interface CurlLine {
  readonly url: string
  readonly secret: string
  readonly body: string
}

class Launcher implements AsyncDisposable {
  readonly #child
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  output = ''
  errors = ''

  constructor(dataDir: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [SCRIPT], {
      env: cleanEnvironment({
        MILLRACE_DATA_DIR: dataDir,
        MILLRACE_CONTROL_PORT: '0',
        MILLRACE_PROXY_PORT: '0',
        ...env,
      }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    endWithThisProcess(this.#child)
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk))
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.errors += chunk))
    // Not 'exit': by then not all that it has said need have come.
    this.exited = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Waits for the address that stands behind this name. */
  async address(name: 'OpenAI API' | 'GraphQL'): Promise<string> {
    const said = new RegExp(`^  ${name} +(\\S+)$`, 'm')
    const found = await waitFor(() => this.output.match(said)?.[1] ?? (this.#child.exitCode !== null && 'ended'), {
      timeoutMs: 60_000,
      what: 'an address',
    })
    assert.notEqual(found, 'ended', this.errors)
    return found
  }

  curlLines(): CurlLine[] {
    const line =
      /^  curl (?:-N )?(\S+) -H 'Authorization: Bearer (\S+)' -H 'content-type: application\/json' -d '(.*)'$/gm
    return Array.from(this.output.matchAll(line), ([, url, secret, body]) => ({
      url: url!,
      secret: secret!,
      body: body!,
    }))
  }

  async stop(): Promise<{ code: number | null; signal: string | null }> {
    this.signal('SIGTERM')
    return within(30_000, 'stopping', this.exited)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGTERM')
    await this.exited
  }
}

function post({ url, secret, body }: CurlLine): Promise<Response> {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body })
}

const originOf = (url: string): string => new URL(url).origin

const chat = (proxyUrl: string, secret: string, model = 'demo'): CurlLine => ({
  url: `${proxyUrl}/v1/chat/completions`,
  secret,
  body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
})

async function assertStreams(line: CurlLine): Promise<void> {
  const response = await post(line)
  const text = await response.text()
  assert.equal(response.status, 200, text)
  assert.match(text, /^data: \{.*"content":/m)
  assert.match(text, /\ndata: \[DONE\]\n\n$/)
}

async function credentials(dataDir: string): Promise<Record<string, string>> {
  return JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'))
}

const gone = (pids: readonly number[]): Promise<boolean> =>
  waitFor(() => !pids.some(isAlive), { timeoutMs: 30_000, what: `the end of ${pids.join(', ')}` })

suite('npm start', () => {
  let home: TemporaryFolder
  before(async () => {
    home = await temporaryFolder()
  })
  after(() => home[Symbol.asyncDispose]())
  const dataDir = (): string => join(home.path, 'data')

  /** A copy of the data folder that the first test has left: a start from it is quick. */
  async function copyOfHome(): Promise<TemporaryFolder> {
    const folder = await temporaryFolder()
    await cp(dataDir(), folder.path, { recursive: true })
    return folder
  }

  test('serves on an empty data folder, and shows each secret once', async () => {
    await using launcher = new Launcher(dataDir())
    const graphqlUrl = await launcher.address('GraphQL')
    const [chatLine, graphqlLine] = await waitFor(() => launcher.curlLines().length === 2 && launcher.curlLines())
    assert.ok(chatLine && graphqlLine)

    await assertStreams(chatLine)
    const recorded = await waitFor(async () => {
      const answer: any = await (await post(graphqlLine)).json()
      return answer.data.requests.edges[0]?.node
    })
    assert.equal(recorded.model, 'demo')
    assert.equal(recorded.status, 'SUCCESS')

    assert.deepEqual(await credentials(dataDir()), {
      adminKey: graphqlLine.secret,
      token: chatLine.secret,
      graphqlUrl,
      proxyUrl: new URL(chatLine.url).origin,
    })
    assert.equal((await stat(join(dataDir(), 'credentials.json'))).mode & 0o777, 0o600)

    const children = childrenOf(launcher.pid)
    assert.equal(children.length, 2)
    assert.deepEqual(await launcher.stop(), { code: 0, signal: null })
    await gone(children.map(({ pid }) => pid))
    for (const { secret } of [chatLine, graphqlLine]) {
      assert.equal(`${launcher.output}${launcher.errors}`.split(secret).length - 1, 1, 'printed once')
    }
  })

  test('shows no secret on later starts, and where they lie', async () => {
    await using folder = await copyOfHome()
    const { token, adminKey } = await credentials(folder.path)
    await using launcher = new Launcher(folder.path)
    const proxyUrl = originOf(await launcher.address('OpenAI API'))
    await assertStreams(chat(proxyUrl, token!))
    const now = await credentials(folder.path)
    assert.deepEqual(now, { token, adminKey, proxyUrl, graphqlUrl: await launcher.address('GraphQL') })
    await launcher.stop()
    const printed = launcher.output + launcher.errors
    assert.ok(!printed.includes(token!) && !printed.includes(adminKey!))
    assert.ok(printed.includes(join(folder.path, 'credentials.json')))
  })

  test('starts again what was killed, on the same port, and serves meanwhile', async () => {
    await using folder = await copyOfHome()
    await using launcher = new Launcher(folder.path)
    const graphqlUrl = await launcher.address('GraphQL')
    const proxyUrl = originOf(await launcher.address('OpenAI API'))
    const { token, adminKey } = await credentials(folder.path)
    const pidOf = (name: string): number | undefined =>
      childrenOf(launcher.pid).find(({ command }) => command.includes(`packages/${name}/dist`))?.pid

    const control = pidOf('control')!
    process.kill(control, 'SIGKILL')
    await assertStreams(chat(proxyUrl, token!))
    await waitFor(() => pidOf('control') !== control && pidOf('control'))
    await waitFor(
      () => post({ url: graphqlUrl, secret: adminKey!, body: '{"query":"{ viewer { role } }"}' }).then(({ ok }) => ok),
      { timeoutMs: 60_000, what: 'control to serve again' },
    )

    const proxy = pidOf('proxy')!
    process.kill(proxy, 'SIGKILL')
    await waitFor(() => pidOf('proxy') !== proxy && pidOf('proxy'))
    await waitFor(() => assertStreams(chat(proxyUrl, token!)).then(() => true), { timeoutMs: 60_000 })

    assert.match(launcher.errors, /^millrace: control ended \(SIGKILL\), starts again in 0\.5 s$/m)
    assert.match(launcher.errors, /^millrace: proxy ended \(SIGKILL\), starts again in 0\.5 s$/m)
    assert.deepEqual(await credentials(folder.path), { token, adminKey, graphqlUrl, proxyUrl })
    assert.deepEqual(await launcher.stop(), { code: 0, signal: null })
  })

  test('does not say that it serves while its proxy gets no configuration', async () => {
    await using folder = await copyOfHome()
    await unlink(join(folder.path, 'snapshot.jsonl'))
    await using launcher = new Launcher(folder.path, { MILLRACE_PROXY_KEY: 'a-key-of-role-PROXY-that-nobody-knows' })
    await launcher.address('OpenAI API')
    assert.match(launcher.output, /^Millrace runs, but its proxy is not ready: .+$/m)
    assert.ok(!launcher.output.includes('Millrace serves'))
    assert.match(launcher.errors, /MILLRACE_PROXY_KEY opens nothing/)
  })

  test('ends both at once at a second signal', async () => {
    await using folder = await copyOfHome()
    await using launcher = new Launcher(folder.path)
    const proxyUrl = originOf(await launcher.address('OpenAI API'))
    const { token, adminKey } = await credentials(folder.path)
    const slow = await slowAlias(await launcher.address('GraphQL'), adminKey!)
    const children = childrenOf(launcher.pid).map(({ pid }) => pid)
    const stream = await waitFor(async () => {
      const response = await post(chat(proxyUrl, token!, slow))
      return response.ok && response
    })
    // Of two of the same kind that are on their way, the system makes one.
    launcher.signal('SIGINT')
    launcher.signal('SIGTERM')
    await waitFor(() => launcher.errors.includes('millrace: stopping'))
    await sleep(1_000)
    assert.ok(children.every(isAlive), 'what comes twice in a moment is one signal')
    launcher.signal('SIGINT')
    assert.deepEqual(await within(20_000, 'ending at once', launcher.exited), { code: 0, signal: null })
    await gone(children)
    await assert.rejects(stream.text())
  })

  test('leaves nothing behind when it is killed', async () => {
    await using folder = await copyOfHome()
    await using launcher = new Launcher(folder.path)
    await launcher.address('GraphQL')
    const children = childrenOf(launcher.pid).map(({ pid }) => pid)
    assert.equal(children.length, 2)
    launcher.signal('SIGKILL')
    await gone(children)
  })

  /** From the moment at which the child is there, and has loaded none of its modules, to where it almost serves. */
  for (const delayMs of [0, 150, 400, 800, 1_500]) {
    test(`leaves nothing behind when it is killed ${delayMs} ms after control was started`, async () => {
      await using folder = await copyOfHome()
      await using launcher = new Launcher(folder.path)
      await waitFor(() => childrenOf(launcher.pid).length > 0, { intervalMs: 5 })
      await sleep(delayMs)
      const children = childrenOf(launcher.pid).map(({ pid }) => pid)
      launcher.signal('SIGKILL')
      await gone(children)
    })
  }

  test('never makes the credentials file anew', async () => {
    await using folder = await copyOfHome()
    const file = join(folder.path, 'credentials.json')
    await unlink(file)
    await using launcher = new Launcher(folder.path)
    await launcher.address('GraphQL')
    assert.ok(!existsSync(file))
    assert.ok(!launcher.output.includes(file))
  })

  test('serves though the credentials file is damaged, and leaves it', async () => {
    await using folder = await copyOfHome()
    const file = join(folder.path, 'credentials.json')
    await writeFile(file, '{"adminKey":')
    await using launcher = new Launcher(folder.path)
    await launcher.address('GraphQL')
    assert.match(launcher.errors, /^millrace: .*credentials\.json: SyntaxError.*$/m)
    assert.equal(await readFile(file, 'utf8'), '{"adminKey":')
  })

  for (const [name, value] of [
    ['MILLRACE_PROXY_PORT', 'eighty'],
    ['MILLRACE_CONTROL_PORT', '65536'],
    ['MILLRACE_MASTER_KEY', 'too short'],
    ['MILLRACE_PROXY_PROT', '8080'],
  ] as const) {
    test(`refuses ${name}=${value} in one line`, async () => {
      const launcher = new Launcher(dataDir(), { [name]: value })
      assert.deepEqual(await launcher.exited, { code: 1, signal: null })
      assert.match(launcher.errors, new RegExp(`^millrace: ${name}: .+\\n$`))
      assert.ok(!launcher.errors.includes('too short'))
      assert.equal(launcher.output, '')
    })
  }

  test('ends with the line of the child that could not start', async () => {
    await using folder = await copyOfHome()
    await using taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const env = { MILLRACE_PROXY_PORT: String(port), MILLRACE_LOG_LEVEL: 'silent' }
    const launcher = new Launcher(folder.path, env)
    assert.equal((await launcher.exited).code, 1)
    assert.match(launcher.errors, /^millrace: MILLRACE_PROXY_PORT: .+\n$/)
  })
})

/** An alias whose stream takes a minute. */
async function slowAlias(graphqlUrl: string, adminKey: string): Promise<string> {
  const mutate = async (query: string): Promise<any> =>
    (await post({ url: graphqlUrl, secret: adminKey, body: JSON.stringify({ query: `mutation { ${query} }` }) })).json()
  const settings = '{ outputTokens: 600, betweenTokensMs: 100 }'
  const { data } = await mutate(
    `createProvider(input: { name: "slow", kind: SIMULATED, settings: ${settings} }) { id }`,
  )
  await mutate(`createAlias(input: { name: "slow", routes: [{ provider: "${data.createProvider.id}" }] }) { id }`)
  return 'slow'
}
