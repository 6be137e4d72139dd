/** Speech to text: POST /audio/transcriptions, as OpenAI has it. */
import { randomBytes } from 'node:crypto'

import { z } from 'zod'

import * as limits from '../../limits.ts'
import { inputRate } from '../peer.ts'
import type { TranscriptionService } from './profile.ts'
import { malformedAnswer, readBounded } from './provider-client.ts'
import type { ProviderClient } from './provider-client.ts'
import { wavOf } from './wav.ts'

const answer = z.object({ text: z.string() })

/** The words, or an empty text when there are none. @throws HostError ERR_PROVIDER, ERR_PROVIDER_QUOTA */
export async function transcribe(client: ProviderClient, service: TranscriptionService, samples: Int16Array, signal: AbortSignal): Promise<string> {
  const boundary = `----${randomBytes(12).toString('hex')}`
  const fields = { model: service.model, response_format: 'json', ...(service.language === undefined ? {} : { language: service.language }) }
  const texts = Object.entries(fields).map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n`
  const body = Buffer.concat([Buffer.from(texts.join('') + file), wavOf(samples, inputRate), Buffer.from(`\r\n--${boundary}--\r\n`)])
  const contentType = `multipart/form-data; boundary=${boundary}`
  const bytes = await readBounded(await client.post({ path: '/audio/transcriptions', body, contentType, signal }), client.url, limits.transcriptionBytesMax)
  try {
    return answer
      .parse(JSON.parse(bytes.toString('utf8')))
      .text.trim()
      .slice(0, limits.saidSizeMax)
  } catch (cause) {
    throw malformedAnswer(client.url, 'a transcription is JSON with a text', cause)
  }
}
