/** Names that serve every model of a beginning. */

export const ONE_STAR = 'may have one *, at its end'

/** Whether `*` stands nowhere but at the end. */
export function isPattern(name: string): boolean {
  const star = name.indexOf('*')
  return star === -1 || star === name.length - 1
}

/** Whether it serves more than one model. */
export function isWildcard(name: string): boolean {
  return name.endsWith('*')
}
