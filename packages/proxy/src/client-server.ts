import { Server } from 'node:http'
import type { Socket } from 'node:net'

const kUploading = Symbol('uploading')

interface ClientSocket extends Socket {
  [kUploading]?: boolean
}

/**
 * The server that clients ask. A request has as long to come as Node lets it (`requestTimeout`), but for uploads: theirs ends
 * with the provider's total time-out.
 */
export class ClientServer extends Server {
  // Whoever listens for `clientError` has to end every such connection as Node does; what nobody is told, Node ends itself.
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'clientError' && mayGoOn(args[0], args[1] as ClientSocket)) return true
    return super.emit(event, ...args)
  }
}

/** Whether what comes on a client's connection is an upload. */
export function setUploading(socket: ClientSocket, uploading: boolean): void {
  socket[kUploading] = uploading
}

function mayGoOn(error: unknown, socket: ClientSocket): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket[kUploading] === true
}
