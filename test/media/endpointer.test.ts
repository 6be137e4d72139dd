import assert from 'node:assert/strict'
import test from 'node:test'

import { Endpointer } from '../../host/media/endpointer.ts'
import type { Utterance } from '../../host/media/endpointer.ts'

const rate = 16_000

function noise(ms: number, level: number): Int16Array {
  let seed = 7
  return Int16Array.from({ length: (rate * ms) / 1_000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return ((seed / 1_073_741_824 - 1) * level) | 0
  })
}

function voice(ms: number): Int16Array {
  return Int16Array.from({ length: (rate * ms) / 1_000 }, (_unused, index) => Math.round(6_000 * Math.sin((index * 2 * Math.PI * 300) / rate)))
}

function listen(...sounds: readonly Int16Array[]): { readonly began: number; readonly utterances: readonly Utterance[] } {
  let began = 0
  const utterances: Utterance[] = []
  const endpointer = new Endpointer({ began: () => (began += 1), ended: (utterance) => utterances.push(utterance) })
  // Pieces that do not fit frames, as a network gives them.
  for (const sound of sounds) for (let start = 0; start < sound.length; start += 777) endpointer.push(sound.subarray(start, start + 777))
  endpointer.close()
  return { began, utterances }
}

test('a voice between silences is one utterance, with up to 300 ms of what came before', () => {
  const { began, utterances } = listen(noise(1_000, 40), voice(800), noise(700, 40), voice(500), noise(700, 40))
  assert.equal(began, 2)
  assert.deepEqual(
    utterances.map(({ samples }) => Math.round(samples.length / rate / 0.1) / 10),
    [1.6, 1.2],
  )
})

test('a click is no voice, and a pause of a quarter second ends nothing', () => {
  assert.equal(listen(noise(500, 40), voice(20), noise(800, 40)).began, 0)
  const { began, utterances } = listen(noise(500, 40), voice(300), noise(250, 40), voice(300), noise(700, 40))
  assert.equal(began, 1)
  assert.equal(utterances.length, 1)
})

test('the noise of a fan becomes the floor: a voice above it is heard, and it alone is not for long', () => {
  const { utterances } = listen(noise(12_000, 900), voice(700), noise(1_000, 900))
  const last = utterances.at(-1)
  assert.ok(last !== undefined && last.samples.length < 3 * rate)
})

test('whoever does not stop is cut after half a minute', () => {
  // As a voice is: with gaps between words.
  const words = Array.from({ length: 62 }, () => [voice(440), noise(60, 40)]).flat()
  const [first] = listen(noise(300, 40), ...words, noise(600, 40)).utterances
  assert.equal(first?.samples.length, 30 * rate)
})
