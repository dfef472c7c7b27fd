/** Cursor connections (GraphQL Cursor Connections Specification), forward only. */
import 'reflect-metadata'
import { Field, Int, ObjectType, type ClassType } from 'type-graphql'

@ObjectType({ simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean

  @Field(() => Boolean)
  hasPreviousPage!: boolean

  @Field(() => String, { nullable: true })
  startCursor!: string | null

  @Field(() => String, { nullable: true })
  endCursor!: string | null
}

/** One page of a connection. */
export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[]
  readonly pageInfo: PageInfo
  /** Null where counting would mean reading everything. */
  readonly totalCount: number | null
}

/** Makes `<name>Edge` and `<name>Connection`. */
export function connectionOf<T extends object>(name: string, node: () => ClassType<T>): ClassType<Page<T>> {
  @ObjectType(`${name}Edge`, { simpleResolvers: true })
  class Edge {
    @Field(() => String)
    cursor!: string

    @Field(node)
    node!: T
  }

  @ObjectType(`${name}Connection`, { simpleResolvers: true })
  class Connection implements Page<T> {
    @Field(() => [Edge])
    edges!: Edge[]

    @Field(() => PageInfo)
    pageInfo!: PageInfo

    @Field(() => Int, { nullable: true })
    totalCount!: number | null
  }
  return Connection
}

/**
 * Makes a page of rows.
 * @param rows one more than was asked for, if there is one more
 * @param after the cursor after which they begin, if any
 */
export function pageOf<Row, T>(
  rows: readonly Row[],
  first: number,
  after: string | null,
  cursorOf: (row: Row) => string,
  nodeOf: (row: Row) => T,
): Page<T> {
  const edges = rows.slice(0, first).map((row) => ({ cursor: cursorOf(row), node: nodeOf(row) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: null,
  }
}
