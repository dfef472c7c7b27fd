/** nginx as a plain reverse proxy with one worker, for comparison: as its manual sets one up, in a folder of its own. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'

import { endWithThisProcess } from '../helpers/process.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'

export interface Nginx extends AsyncDisposable {
  readonly pid: number
  /** Answers are buffered, as nginx does unless told otherwise. */
  readonly jsonPort: number
  /** `proxy_buffering off`, as streams need. */
  readonly streamPort: number
}

/** nginx's version, or null where there is none. */
export function nginxVersion(): string | null {
  const { stderr, error } = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  return error ? null : (/nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown')
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) server.close()
  return ports as [number, number]
}

const configuration = (folder: string, upstreamPort: number, jsonPort: number, streamPort: number): string => `
daemon off;
# One process that is the worker: its CPU time is all there is.
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  upstream provider { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 1000000000; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server { listen 127.0.0.1:${jsonPort}; location / { proxy_pass http://provider; } }
  server { listen 127.0.0.1:${streamPort}; location / { proxy_pass http://provider; proxy_buffering off; } }
}
`

/** Starts it before an upstream. */
export async function startNginx(upstreamPort: number, prefix: readonly string[]): Promise<Nginx> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const [jsonPort, streamPort] = await freePorts()
  await mkdir(`${folder.path}/logs`)
  await writeFile(`${folder.path}/nginx.conf`, configuration(folder.path, upstreamPort, jsonPort, streamPort))
  const [command, ...args] = [
    ...prefix,
    'nginx',
    '-p',
    folder.path,
    '-e',
    `${folder.path}/error.log`,
    '-c',
    `${folder.path}/nginx.conf`,
  ]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  endWithThisProcess(child)
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  })
  await waitFor(() => listens(jsonPort), { what: 'nginx to listen' })
  const owned = stack.move()
  return { pid: child.pid!, jsonPort, streamPort, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
