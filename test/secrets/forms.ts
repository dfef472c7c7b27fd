/** How a secret may stand in a text, and whether it does. */

/** Of each secret so much is looked for, its end: a text that was cut may hold no more, and its beginning may be public. */
const CORE = 24

/** Bytes before and after it decide over the characters at its edges: only those between are the same wherever it stands. */
function base64Cores(core: string): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.from('\0'.repeat(offset) + core).toString('base64')
    const whole = Math.floor((offset + core.length) / 3) * 4
    return text.slice(offset === 0 ? 0 : 4, whole)
  })
}

/** Plain, and as it is written into URLs, JSON, base64 and hex. */
export function formsOf(secret: string): string[] {
  const core = secret.slice(-CORE)
  const base64 = base64Cores(core)
  return [
    ...new Set([
      core,
      encodeURIComponent(core),
      JSON.stringify(core).slice(1, -1),
      core.replaceAll('/', '\\/'),
      ...base64,
      ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
      Buffer.from(core).toString('hex'),
    ]),
  ]
}

/** What was written where. */
export class Places {
  readonly #texts: [place: string, text: string][] = []

  add(place: string, text: string | Buffer): void {
    this.#texts.push([place, typeof text === 'string' ? text : text.toString('latin1')])
  }

  /** How much there is whose place begins so. */
  size(place: string): number {
    return this.of(place).reduce((sum, text) => sum + text.length, 0)
  }

  of(place: string): string[] {
    return this.#texts.filter(([one]) => one.startsWith(place)).map(([, text]) => text)
  }

  /** @param secrets by what they are called @returns `the log of the proxy: the upstream key, by "…and what is around it…"` */
  findings(secrets: ReadonlyMap<string, string>): string[] {
    const found: string[] = []
    for (const [name, secret] of secrets)
      for (const form of formsOf(secret))
        for (const [place, text] of this.#texts) {
          const at = text.indexOf(form)
          if (at !== -1)
            found.push(`${place}: ${name}, in ${JSON.stringify(text.slice(Math.max(0, at - 80), at + 80))}`)
        }
    return [...new Set(found)]
  }
}
