/** The little of `pg` (MikroORM's driver) that tests use; it ships no types. */
declare module 'pg' {
  class Client {
    constructor(config: { connectionString: string })
    connect(): Promise<void>
    query(sql: string, values?: readonly unknown[]): Promise<{ rows: Record<string, any>[] }>
    end(): Promise<void>
  }
  const pg: { Client: typeof Client }
  export default pg
}
