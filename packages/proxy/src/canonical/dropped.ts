import type { ChatRequest, ParamName } from './request.ts'

/** What a request asks for that can't be said to the provider, in the client's words: each once. */
export class Dropped {
  private readonly all: Set<string>
  private readonly request: ChatRequest

  constructor(request: ChatRequest) {
    this.request = request
    this.all = new Set(request.unknown)
  }

  get names(): readonly string[] {
    return [...this.all]
  }

  add(param: ParamName): void {
    this.all.add(this.request.named[param] ?? param)
  }
}
