/** The pattern of SQL's LIKE that finds a text anywhere, whatever characters it has. */
export function likePattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
}
