import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { SpokenText } from '../../host/media/spoken-text.ts'

const words = fc.array(fc.stringMatching(/^[a-zé,]{1,12}[.!?]?$/), { minLength: 1, maxLength: 60 }).map((list) => list.join(' '))

/** Made sound at 100 ms a letter, in pieces as a model gives them. */
function spoken(text: string, cuts: readonly number[]): SpokenText {
  const made = new SpokenText()
  const speakParts = (isLast: boolean): void => {
    for (let part = made.nextPart(isLast); part !== undefined; part = made.nextPart(isLast)) {
      made.sounded(part.index, part.text.length * 2_400)
      made.complete(part.index)
    }
  }
  let start = 0
  for (const cut of [...new Set(cuts.map((one) => one % (text.length + 1)))].sort((left, right) => left - right)) {
    made.add(text.slice(start, cut))
    start = cut
    speakParts(false)
  }
  made.add(text.slice(start))
  speakParts(true)
  return made
}

test('what was heard is a prefix of what was to be said, ends with a word, and grows with what was played', () => {
  fc.assert(
    fc.property(words, fc.array(fc.nat(700), { maxLength: 20 }), fc.nat(60_000), (text, cuts, playedMs) => {
      const made = spoken(text, cuts)
      const heard = made.heard(playedMs)
      assert.equal(made.intended, text)
      assert.ok(text.startsWith(heard))
      assert.ok(
        heard === '' || heard.length === text.trimEnd().length || /\s/.test(text.charAt(heard.length)),
        `${JSON.stringify(text)}: ${JSON.stringify(heard)}`,
      )
      assert.ok(made.heard(playedMs + 500).length >= heard.length)
      assert.equal(made.heard(text.length * 100 + 1), text.trimEnd())
      assert.equal(made.heard(0), '')
    }),
  )
})

test('the first sentence is spoken before the second one is made', () => {
  const made = new SpokenText()
  made.add('I am sorry. I have')
  assert.deepEqual(made.nextPart(false), { index: 0, text: 'I am sorry. ' })
  assert.equal(made.nextPart(false), undefined)
  assert.deepEqual(made.nextPart(true), { index: 1, text: 'I have' })
})

test('a text without end is spoken in parts of bounded length', () => {
  const made = new SpokenText()
  made.add('word '.repeat(100))
  const part = made.nextPart(false)
  assert.ok(part !== undefined && part.text.length <= 300)
})
