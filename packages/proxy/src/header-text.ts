/** A name that an operator or a client chose, as a header can carry it: RFC 9110, section 5.5, allows little beyond ASCII. */
export function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed())
}
