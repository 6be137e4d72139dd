/** Why somebody asks, and in which conversation, as the access log keeps it: their own words, of bounded length. */
import { HostError } from './errors.ts'
import * as limits from './limits.ts'
import { isPrintable } from './printable.ts'

/** The claim of a token that says what it is for, where a call does not say it itself. */
export const PURPOSE_CLAIM = 'purpose'

/** @throws HostError ERR_REQUEST_MALFORMED */
export function checkPurpose(text: string, what = 'a purpose'): string {
  if (text.length > 0 && Buffer.byteLength(text) <= limits.purposeSizeBytesMax && isPrintable(text)) return text
  throw new HostError('ERR_REQUEST_MALFORMED', `${what} is 1 to ${limits.purposeSizeBytesMax} bytes of text without control characters`)
}
