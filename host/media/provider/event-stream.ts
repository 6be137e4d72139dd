/** Server-sent events as language models send them: the data of each, until `[DONE]` or the end. */
import * as limits from '../../limits.ts'
import { malformedAnswer } from './provider-client.ts'

/** @throws HostError ERR_PROVIDER for a stream that is too long. */
export async function* eventsOf(body: AsyncIterable<unknown>, url: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  let size = 0
  for await (const piece of body) {
    const bytes = piece as Uint8Array
    size += bytes.length
    if (size > limits.streamBytesMax) throw malformedAnswer(url, `the stream is larger than ${limits.streamBytesMax} bytes`)
    rest += decoder.decode(bytes, { stream: true })
    const lines = rest.split(/\r?\n/)
    rest = lines.pop() ?? ''
    if (rest.length > limits.streamEventBytesMax) throw malformedAnswer(url, 'a line of its stream does not end')
    for (const line of lines) {
      if (!line.startsWith('data:')) continue
      const data = line.slice(5).trim()
      if (data === '[DONE]') return
      yield data
    }
  }
}
