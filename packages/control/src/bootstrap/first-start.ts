/** An empty database becomes a system that answers. */
import { ADMIN_KEY_PREFIX, envReferenceAllowed, newSecret, SettingsError, type Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { Role } from '../access/role.ts'
import type { Database } from '../db/database.ts'
import { changeConfiguration, MILLRACE, type Change } from '../revisions/change.ts'
import type { Services } from '../services.ts'
import { putAside, writeCredentials, writeProxyKey, type Credentials } from './credentials-file.ts'
import { warnOfUnknownKeys } from './unknown-keys.ts'
import { VENDORS } from './vendors.ts'

/** The secrets of a first start, shown once. */
export interface FirstStart {
  readonly adminKey: string
  readonly token: string
  readonly proxyKey: string
}

export interface FirstStartOptions {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly dataDir: string
  /** What the credentials file says of addresses until they are known. */
  readonly urls: Pick<Credentials, 'graphqlUrl' | 'proxyUrl'>
  readonly log: Logger
}

/**
 * Makes the first configuration, unless there is one.
 * The secrets are on disk before the transaction ends: killed in between, it begins anew and writes them anew.
 * @throws SettingsError if they can't be written, or one key was given for two roles
 */
export async function firstStart(
  database: Database,
  services: Services,
  options: FirstStartOptions,
): Promise<FirstStart | null> {
  const { MILLRACE_ADMIN_KEY, MILLRACE_PROXY_KEY } = options.settings
  if (MILLRACE_PROXY_KEY !== undefined && MILLRACE_PROXY_KEY === MILLRACE_ADMIN_KEY) {
    throw new SettingsError('MILLRACE_PROXY_KEY', 'must be another key than MILLRACE_ADMIN_KEY')
  }
  const [row] = await database.em().execute<{ started: boolean }[]>('select exists (select from admin_key) as started')
  if (row!.started) {
    await warnOfUnknownKeys(database, options.settings, options.log)
    return null
  }
  return changeConfiguration(database, MILLRACE, 'firstStart', async (change) => {
    const secrets = await configure(change, services, options)
    await change.em.flush()
    const { dataDir, settings, urls, log } = options
    putAside(dataDir, log)
    if (settings.MILLRACE_PROXY_KEY === undefined) writeProxyKey(dataDir, secrets.proxyKey)
    writeCredentials(dataDir, { adminKey: secrets.adminKey, token: secrets.token, ...urls })
    return secrets
  })
}

async function configure(
  change: Change,
  services: Services,
  { settings, env, log }: FirstStartOptions,
): Promise<FirstStart> {
  const { adminKeys, aliases, projects, providers, tokens } = services
  const adminKey = settings.MILLRACE_ADMIN_KEY ?? newSecret(ADMIN_KEY_PREFIX).secret
  const proxyKey = settings.MILLRACE_PROXY_KEY ?? newSecret(ADMIN_KEY_PREFIX).secret
  await adminKeys.add(change, { name: 'first admin', role: Role.ADMIN }, adminKey)
  await adminKeys.add(change, { name: 'proxies', role: Role.PROXY }, proxyKey)

  const project = await projects.add(change, { name: 'default' })
  // Written, since what follows finds it by its id.
  await change.em.flush()
  const { secret: token } = await tokens.add(change, { name: 'default', project: project.id })
  const simulator = await providers.add(change, { name: 'simulator', kind: 'SIMULATED' })
  await change.em.flush()
  await aliases.add(change, { name: 'demo', routes: [{ provider: simulator.id }] })
  for (const { variables, ...vendor } of VENDORS) {
    const variable = variables.find((name) => env[name])
    if (variable === undefined) continue
    if (envReferenceAllowed(variable, settings.MILLRACE_ENV_ALLOW))
      await providers.add(change, { ...vendor, apiKeys: [`env:${variable}`] })
    else log.warn({ variable }, 'no provider was made for this key: MILLRACE_ENV_ALLOW does not let it be read')
  }
  return { adminKey, token, proxyKey }
}
