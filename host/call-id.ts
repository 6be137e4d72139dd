/** The id that a caller gives a call, so that it can send it again without its running again. */
import { HostError } from './errors.ts'
import * as limits from './limits.ts'

/** @throws HostError ERR_CALL_ID for what is no id. */
export function checkCallId(id: string): string {
  if (typeof id === 'string' && /^[\x21-\x7e]+$/.test(id) && id.length <= limits.callIdSizeBytesMax) return id
  throw new HostError('ERR_CALL_ID', `a call id has 1 to ${limits.callIdSizeBytesMax} printable characters without spaces: a UUID is one`)
}
