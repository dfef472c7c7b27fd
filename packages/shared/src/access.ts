/** What a token's clients may ask for, or what may be asked of a provider. Null: everything. */
import * as z from 'zod'

import { isIpRange } from './ip-ranges.ts'
import { flag, globText, methodName } from './values.ts'

/** Entries of each list. */
const MOST_ENTRIES = 1_000
const MOST_PARAMS = 100

function listOf<S extends z.ZodType>(entry: S) {
  return z
    .array(entry, 'must be a list')
    .min(1, 'must not be empty; null allows everything')
    .max(MOST_ENTRIES, `must have at most ${MOST_ENTRIES} entries`)
}

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of a header')
  .transform((name) => name.toLowerCase())
const PARAM = /^[\x21-\x7e]{1,100}$/
const ipRange = z.string().refine(isIpRange, 'must be an address or a CIDR range, IPv4 or IPv6')

export const accessPolicy = z.strictObject({
  /** Of what clients ask for: an alias, or NAME/MODEL. A provider's: of what it is asked for. */
  models: listOf(globText).nullable(),
  endpoints: listOf(globText).nullable(),
  methods: listOf(methodName).nullable(),
  /** Of browsers. Where set, a request must say where it comes from. */
  origins: listOf(globText).nullable(),
  ipRanges: listOf(ipRange).nullable(),
  /** Body parameter -> allowed values. A parameter that is absent is allowed. */
  params: z
    .record(z.string(), listOf(globText))
    .refine(
      (params) => Object.keys(params).every((name) => PARAM.test(name)),
      'must have the names of parameters, in ASCII',
    )
    .refine((params) => Object.keys(params).length <= MOST_PARAMS, `must have at most ${MOST_PARAMS} parameters`)
    .nullable(),
  requiredHeaders: listOf(headerName).nullable(),
  /** Whether its clients may bring an upstream key of their own. Means nothing for a provider. */
  ownKeys: flag,
})
export type Access = z.infer<typeof accessPolicy>

export const DEFAULT_ACCESS: Access = {
  models: null,
  endpoints: null,
  methods: null,
  origins: null,
  ipRanges: null,
  params: null,
  requiredHeaders: null,
  ownKeys: false,
}
