import type { Loaders } from '../graphql/loaders.ts'
import { toProject, type ProjectType } from '../projects/project.type.ts'
import type { Owners } from './scope.ts'

/** The projects that a key is bound to; null: none. */
export async function boundProjects(ids: Owners, { project }: Loaders): Promise<ProjectType[] | null> {
  if (ids === null) return null
  const rows = await Promise.all(ids.map((id) => project.load(id)))
  return rows.filter((row) => row !== null).map(toProject)
}
