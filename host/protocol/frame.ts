/**
 * One message through the shard door: a JSON head and a body of bytes.
 *
 *   u32  length of the head in bytes
 *        the head, UTF-8 JSON
 *        the body
 */

export interface Frame {
  readonly head: unknown
  readonly body: Uint8Array
}

const emptyBody = new Uint8Array(0)

/** The bytes lie in a buffer of their own, so that they can be transferred instead of copied. */
export function encodeFrame(head: unknown, body: Uint8Array = emptyBody): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(JSON.stringify(head))
  const bytes = new Uint8Array(4 + text.length + body.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes.set(body, 4 + text.length)
  return bytes
}

/** Both sides of the door are ours: what does not parse is a bug, not an attack. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = 4 + buffer.readUInt32LE(0)
  return { head: JSON.parse(buffer.toString('utf8', 4, end)), body: bytes.subarray(end) }
}
