/** Every migration, in the order in which they are applied. A migration that was released is never changed. */
import { Migration0001 } from './0001-initial.ts'
import { Migration0002 } from './0002-routing.ts'
import { Migration0003 } from './0003-observation.ts'
import { Migration0004 } from './0004-limits.ts'
import { Migration0005 } from './0005-spending.ts'
import { Migration0006 } from './0006-access.ts'
import { Migration0007 } from './0007-cache.ts'
import { Migration0008 } from './0008-records.ts'
import { Migration0009 } from './0009-usage.ts'
import { Migration0010 } from './0010-feed.ts'
import { Migration0011 } from './0011-questions.ts'
import { Migration0012 } from './0012-debug.ts'
import { Migration0013 } from './0013-dialects.ts'

export const migrations = [
  { name: '0001-initial', class: Migration0001 },
  { name: '0002-routing', class: Migration0002 },
  { name: '0003-observation', class: Migration0003 },
  { name: '0004-limits', class: Migration0004 },
  { name: '0005-spending', class: Migration0005 },
  { name: '0006-access', class: Migration0006 },
  { name: '0007-cache', class: Migration0007 },
  { name: '0008-records', class: Migration0008 },
  { name: '0009-usage', class: Migration0009 },
  { name: '0010-feed', class: Migration0010 },
  { name: '0011-questions', class: Migration0011 },
  { name: '0012-debug', class: Migration0012 },
  { name: '0013-dialects', class: Migration0013 },
] as const
