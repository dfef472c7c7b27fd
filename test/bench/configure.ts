/** What the bench's control plane is told, before any proxy listens to it. */
import { createAlias, createProvider, type RouteOptions } from '../helpers/configuration.ts'
import type { ControlProcess } from '../helpers/control.ts'
import { ALIAS, PROVIDER_MODEL, ROUTED_ALIAS, stormAlias, TEN_ALIAS } from './messages.ts'

/** Of the routing scenario: how many aliases there are, each with so many routes at so many providers. */
const ALIASES = 1_000
const ROUTES = 10
/** Mutations at once. */
const AT_ONCE = 20

const providerModel = PROVIDER_MODEL
/** Who is asked next has no say in what is measured. */
const apiKeys = ['sk-bench-upstream-key']

/** The plain path: one route. */
export async function configurePlain(control: ControlProcess, baseUrl: string): Promise<void> {
  const provider = await createProvider(control, baseUrl, { name: 'bench', apiKeys })
  await createAlias(control, ALIAS, [{ provider, providerModel }])
}

/** Ten providers, and a thousand aliases that go to all of them. */
export async function configureRouting(control: ControlProcess, baseUrl: string): Promise<void> {
  const routes: RouteOptions[] = []
  for (let i = 0; i < ROUTES; i++) {
    const provider = await createProvider(control, baseUrl, { name: `bench-${i}`, apiKeys })
    routes.push({ provider, providerModel })
  }
  const policies = { strategy: 'LEAST_LATENCY', sticky: { scope: 'USER' } } as const
  await createAlias(control, TEN_ALIAS, routes)
  await createAlias(control, ROUTED_ALIAS, routes, policies)
  for (let made = 2; made < ALIASES; made += AT_ONCE) {
    const count = Math.min(AT_ONCE, ALIASES - made)
    const some = Array.from({ length: count }, (_, i) => createAlias(control, `beside-${made + i}`, routes, policies))
    await Promise.all(some)
  }
}

/** So many aliases whose first provider is dead. */
export async function configureStorms(
  control: ControlProcess,
  baseUrl: string,
  deadUrl: string,
  count: number,
): Promise<void> {
  const healthy = await createProvider(control, baseUrl, { name: 'bench-healthy', apiKeys })
  for (let i = 0; i < count; i++) {
    const dead = await createProvider(control, deadUrl, { name: `bench-dead-${i}`, apiKeys })
    await createAlias(control, stormAlias(i), [
      { provider: dead, providerModel },
      { provider: healthy, providerModel, priority: 1 },
    ])
  }
}
