let counter = 0

/** A name that no other test has used. */
export function uniqueName(stem: string): string {
  return `${stem}-${process.pid.toString(36)}-${(counter++).toString(36)}`
}
