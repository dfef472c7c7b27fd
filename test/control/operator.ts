/** An operator who configures, and sees what proxies are told of it. */
import assert from 'node:assert/strict'

import type { SnapshotAlias, SnapshotProject, SnapshotProvider, SnapshotToken } from '@millrace/shared'

import type { GraphqlError } from '../helpers/graphql.ts'
import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { newestSnapshot } from './snapshots.ts'
import type { Stage } from './suites.ts'

/** What zod says by itself, which is not for operators. */
const ZODS_OWN = /expected|received|invalid (input|option)|too (small|big)/i

/** @param stage whose control is asked: the one of the moment */
export function operatorOf(stage: Stage) {
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it
  return {
    /** What an operation answers in its one field, `it`. */
    ask,
    /** Asks for what is refused. @returns what is said of it */
    refused: async (code: string, field: string | undefined, document: string, variables: object): Promise<string> => {
      const error: GraphqlError = await ask(document, variables).then(
        () => assert.fail(`was not refused: ${JSON.stringify(variables)}`),
        (thrown: unknown) => thrown as GraphqlError,
      )
      assert.deepEqual([error.code, error.field], [code, field], error.message)
      assert.doesNotMatch(error.message, ZODS_OWN)
      return error.message
    },
    provider: (more = {}): Promise<any> =>
      ask(documents.CREATE_PROVIDER, { input: { name: uniqueName('provider'), kind: 'SIMULATED', ...more } }),
    alias: (routes: object[] = [], more = {}): Promise<any> =>
      ask(documents.CREATE_ALIAS, { input: { name: uniqueName('alias'), routes, ...more } }),
    project: (more = {}): Promise<any> =>
      ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project'), ...more } }),
    /** A token and its secret. */
    token: (project: string, more = {}): Promise<any> =>
      ask(documents.CREATE_TOKEN, { input: { name: uniqueName('token'), project, ...more } }),
    newestNumber: async (): Promise<number> => (await ask(documents.NEWEST_REVISION)).number,
    publishedAlias: async (id: string): Promise<SnapshotAlias> =>
      (await newestSnapshot(stage.control)).aliases.find((one) => one.id === id)!,
    publishedProvider: async (id: string): Promise<SnapshotProvider> =>
      (await newestSnapshot(stage.control)).providers.find((one) => one.id === id)!,
    publishedProject: async (id: string): Promise<SnapshotProject> =>
      (await newestSnapshot(stage.control)).projects.find((one) => one.id === id)!,
    publishedToken: async (id: string): Promise<SnapshotToken> =>
      (await newestSnapshot(stage.control)).tokens.find((one) => one.id === id)!,
  }
}
