/**
 * The parts of a login, checked where they come in: when a token is asked for, and when somebody
 * names whom they act for or link. They end in logs, columns and packed strings, so they are short,
 * visible text.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { isPrintable } from '../printable.ts'

/**
 * A subject or an issuer: 1 to 255 bytes without control characters. `what` names it in the error.
 *
 * @throws HostError ERR_REQUEST_MALFORMED
 */
export function checkLoginPart(what: string, text: string): string {
  const size = Buffer.byteLength(text)
  if (size === 0 || size > limits.loginPartSizeBytesMax || !isPrintable(text)) {
    throw new HostError('ERR_REQUEST_MALFORMED', `${what} is 1 to ${limits.loginPartSizeBytesMax} bytes of text without control characters`)
  }
  return text
}
