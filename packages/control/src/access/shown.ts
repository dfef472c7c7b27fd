const SHOWN = /^ak-mr-[0-9A-Za-z]{12}(?=-)|^.{1,6}/

/** The part of an admin key that may be shown, and by which it is found: its public id, or a little of one that was made elsewhere. */
export function shownOf(secret: string): string {
  return SHOWN.exec(secret)?.[0] ?? ''
}
