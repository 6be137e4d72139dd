/** espeak-ng's voice as raw PCM at any rate, and samples between rates. */
import { spawn } from 'node:child_process'

/** What `espeak-ng` says, 16 bits, mono. */
export async function espeak(text: string, rate: number, voice = 'en-us', wordsPerMinute = 160): Promise<Int16Array> {
  const child = spawn('espeak-ng', ['--stdout', '-v', voice, '-s', String(wordsPerMinute), '--stdin'], { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.end(text)
  const pieces: Buffer[] = []
  for await (const piece of child.stdout) pieces.push(piece as Buffer)
  const wav = Buffer.concat(pieces)
  if (wav.length < 44) throw new Error('espeak-ng gave no sound: is it installed?')
  const samples = new Int16Array(new Uint8Array(wav.subarray(44, 44 + ((wav.length - 44) & ~1))).buffer)
  return resample(samples, wav.readUInt32LE(24), rate)
}

/** Between neighbours by their distance: good enough for a voice. */
export function resample(samples: Int16Array, from: number, to: number): Int16Array {
  const made = new Int16Array(Math.floor((samples.length * to) / from))
  for (let index = 0; index < made.length; index++) {
    const place = (index * from) / to
    const left = Math.floor(place)
    const before = samples[left] ?? 0
    made[index] = Math.round(before + ((samples[left + 1] ?? before) - before) * (place - left))
  }
  return made
}
