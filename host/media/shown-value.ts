/** What a page is shown of rows, arguments and results: all of it, or how much it would be. A message is one packet. */
export function shownValue(value: unknown, bytesMax: number): unknown {
  const sizeBytes = Buffer.byteLength(JSON.stringify(value) ?? 'null')
  return sizeBytes > bytesMax ? { more: `${sizeBytes} bytes, too many to show` } : value
}
