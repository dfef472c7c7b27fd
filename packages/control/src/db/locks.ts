/** Keys of PostgreSQL's advisory locks; any numbers, but no other program's on the same database. */

/** Held for a session: by the process that migrates and makes the first configuration. */
export const START_LOCK = 7_310_001
/** Held for a transaction: by a change of configuration. It is what makes revisions gapless and ordered. */
export const CHANGE_LOCK = 7_310_002
/** Held for a transaction: by an instruction for proxies. They are numbered in the order in which they become visible. */
export const INSTRUCTION_LOCK = 7_310_003
/** Held for a transaction, the last of its locks: by an audit event. They are numbered in the order in which they become visible. */
export const AUDIT_LOCK = 7_310_004
/** Held for a transaction: by who makes or drops partitions. */
export const PARTITION_LOCK = 7_310_005
/** Held for a transaction: by who sums up usage, or makes the sums anew. */
export const USAGE_LOCK = 7_310_006
