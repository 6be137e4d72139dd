/** Text to speech: POST /audio/speech, as OpenAI has it: raw PCM at 24 kHz, 16 bits, as it is made. */
import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'
import { outputRate } from '../peer.ts'
import type { SpeechService } from './profile.ts'
import { malformedAnswer } from './provider-client.ts'
import type { ProviderClient } from './provider-client.ts'

/** Samples of a piece that is handed on: 20 ms. */
const pieceSamples = outputRate / 50

/** @throws HostError ERR_PROVIDER, ERR_PROVIDER_QUOTA */
export async function* speak(client: ProviderClient, { model, voice }: SpeechService, text: string, signal: AbortSignal): AsyncGenerator<Int16Array> {
  const request = JSON.stringify({ model, voice, input: text, response_format: 'pcm' })
  const { body } = await client.post({ path: '/audio/speech', body: request, contentType: 'application/json', signal })
  let rest = Buffer.alloc(0)
  let size = 0
  try {
    for await (const piece of body) {
      const bytes = piece as Uint8Array
      size += bytes.length
      if (size > limits.speechBytesMax) throw malformedAnswer(client.url, 'it speaks for more than a minute')
      rest = Buffer.concat([rest, bytes])
      for (; rest.length >= pieceSamples * 2; rest = rest.subarray(pieceSamples * 2)) yield samplesOf(rest.subarray(0, pieceSamples * 2))
    }
    if (size === 0) throw malformedAnswer(client.url, 'it gave no sound')
    if (rest.length >= 2) yield samplesOf(rest.subarray(0, rest.length & ~1))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error instanceof HostError ? error : malformedAnswer(client.url, 'its sound broke off', error)
  } finally {
    body.destroy()
  }
}

/** Copied, so that the samples lie where 16-bit numbers may, and alone: a slice of a Buffer is a view. */
function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(new Uint8Array(bytes).buffer)
}
