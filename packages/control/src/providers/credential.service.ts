import { newId } from '@millrace/shared'
import * as z from 'zod'

import { ownersOf } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { badInput, conflict, forbidden } from '../graphql/errors.ts'
import { lineOfText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import type { Vault } from '../secrets/vault.ts'
import { apiKeyFor } from './api-key.ts'
import { ProviderCredential } from './credential.entity.ts'
import type { CredentialInput } from './credential.type.ts'
import { Provider } from './provider.entity.ts'

const apiKeyText = z.string().trim().min(1, 'must not be empty')
const credentialInput = z.object({
  label: lineOfText(200).nullish(),
  project: z.string().nullish(),
})

/** Upstream keys. */
export class CredentialService {
  readonly #database: Database
  readonly #vault: Vault

  constructor(database: Database, vault: Vault) {
    this.#database = database
    this.#vault = vault
  }

  addTo(actor: Actor, providerId: string, input: CredentialInput): Promise<ProviderCredential> {
    return changeConfiguration(this.#database, actor, 'addCredential', async (change) => {
      const provider = await requireRow(change.em, Provider, providerId, 'provider', 'provider')
      return this.add(change, provider, input)
    })
  }

  /**
   * As {@link addTo}, within a change under way. A key that is disabled is entered again.
   * @param keyField what the key is called in the operation
   */
  async add(
    change: Change,
    provider: Provider,
    given: CredentialInput,
    keyField = 'input.apiKey',
  ): Promise<ProviderCredential> {
    const input = readInput(credentialInput, given)
    const apiKey = apiKeyFor(provider.kind, readInput(apiKeyText, given.apiKey, keyField), keyField)
    const fault = this.#vault.fault(apiKey)
    if (fault !== null) throw badInput(keyField, fault)
    if (apiKey.startsWith('env:') && change.scope.projects !== null)
      throw forbidden("the key is bound to projects: what is in the proxies' environment is not theirs")
    await this.#vault.requireCurrentKey(change.em)
    const project =
      input.project == null ? null : await requireRow(change.em, Project, input.project, 'project', 'input.project')
    change.projectId = project?.id ?? null

    const credential = Object.assign(new ProviderCredential(), { id: newId(), createdAt: new Date() })
    const secret = this.#vault.store(apiKey, provider.id, credential.id)
    const entered = { label: input.label ?? null, enteredFor: provider.baseUrl, enabled: true }
    const same = await change.em.findOne(ProviderCredential, {
      provider: provider.id,
      project: project?.id ?? null,
      fingerprint: secret.fingerprint,
    })
    if (same) {
      if (same.enabled && isUsable(same, provider)) throw conflict('the provider has this key already')
      const before = describe(same, provider)
      Object.assign(same, this.#vault.store(apiKey, provider.id, same.id), entered, {
        label: input.label ?? same.label,
      })
      change.updated(credentialSubject(same, provider), before, describe(same, provider))
      return same
    }
    Object.assign(credential, { provider: provider.id, project: project?.id ?? null, ...secret, ...entered })
    change.em.persist(credential)
    change.created(credentialSubject(credential, provider), describe(credential, provider))
    return credential
  }

  setEnabled(actor: Actor, id: string, enabled: boolean): Promise<ProviderCredential> {
    return changeConfiguration(this.#database, actor, 'setCredentialEnabled', async (change) => {
      const { credential, provider } = await this.#require(change, id)
      if (enabled && !isUsable(credential, provider)) {
        throw conflict("its provider's baseUrl has changed since it was entered: enter it again with addCredential")
      }
      const before = describe(credential, provider)
      credential.enabled = enabled
      change.updated(credentialSubject(credential, provider), before, describe(credential, provider))
      return credential
    })
  }

  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteCredential', async (change) => {
      const { credential, provider } = await this.#require(change, id)
      change.em.remove(credential)
      change.deleted(credentialSubject(credential, provider), describe(credential, provider))
      return true
    })
  }

  /** A provider has moved: its keys were given for another address. */
  async disableAll(change: Change, provider: Provider): Promise<void> {
    for (const credential of await change.em.find(ProviderCredential, { provider: provider.id })) {
      const before = describe(credential, provider)
      credential.enabled = false
      change.updated(credentialSubject(credential, provider), before, describe(credential, provider))
    }
  }

  /** A provider goes, and its keys with it. */
  async removeAll(change: Change, provider: Provider): Promise<void> {
    for (const credential of await change.em.find(ProviderCredential, { provider: provider.id })) {
      change.em.remove(credential)
      change.deleted(credentialSubject(credential, provider), describe(credential, provider))
    }
  }

  async #require(change: Change, id: string): Promise<{ credential: ProviderCredential; provider: Provider }> {
    const credential = await requireRow(change.em, ProviderCredential, id, 'credential')
    change.projectId = credential.project
    return { credential, provider: await change.em.findOneOrFail(Provider, { id: credential.provider }) }
  }
}

/** Whether it was entered for the address that its provider has now. */
function isUsable(credential: ProviderCredential, provider: Provider): boolean {
  return credential.enteredFor === provider.baseUrl
}

/** What a change of one is about. */
export function credentialSubject({ id, project, fingerprint }: ProviderCredential, provider: Provider): Subject {
  const identity = { id, providerId: provider.id, projectId: project }
  return { kind: 'credential', name: `${provider.name} ${fingerprint}`, identity, owners: ownersOf(project) }
}

function describe({ project, label, fingerprint, enabled }: ProviderCredential, { name }: Provider): Description {
  return { provider: name, project, label, fingerprint, enabled }
}
