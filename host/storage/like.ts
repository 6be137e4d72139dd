/**
 * LIKE as PostgreSQL has it: `%` any characters, `_` one, `\` before what is meant itself; letters as they
 * are. It goes back to the last `%` only, so that a pattern costs at most its length times the text's.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'

export type Matcher = (text: string) => boolean

const matchers = new LruMap<string, Matcher>(64)

/** @throws HostError ERR_SQL_VALUE for a pattern that is too long or ends in its escape. */
export function likeMatcher(pattern: string): Matcher {
  const known = matchers.get(pattern)
  if (known !== undefined) return known
  const made = matching(partsOf(pattern))
  matchers.set(pattern, made)
  return made
}

/** A character, or one of the two wildcards. */
type Part = string | typeof any | typeof one
const any = Symbol('%')
const one = Symbol('_')

function partsOf(pattern: string): readonly Part[] {
  if (pattern.length > limits.sqlPatternSizeMax) throw new HostError('ERR_SQL_VALUE', `a pattern has at most ${limits.sqlPatternSizeMax} characters`)
  const parts: Part[] = []
  const characters = Array.from(pattern)
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '%') {
      if (parts.at(-1) !== any) parts.push(any)
    } else if (character === '_') parts.push(one)
    else if (character !== '\\') parts.push(character)
    else if (++at < characters.length) parts.push(characters[at] ?? '')
    else throw new HostError('ERR_SQL_VALUE', 'a pattern does not end in its escape: write \\\\ for a backslash')
  }
  return parts
}

function matching(parts: readonly Part[]): Matcher {
  return (text) => {
    const characters = Array.from(text)
    let [at, part, backAt, backPart] = [0, 0, -1, -1]
    while (at < characters.length) {
      const wanted = parts[part]
      if (wanted === any) [backAt, backPart] = [at, ++part]
      else if (wanted === one || (wanted !== undefined && wanted === characters[at])) {
        at++
        part++
      } else if (backPart >= 0) [at, part] = [++backAt, backPart]
      else return false
    }
    while (parts[part] === any) part++
    return part === parts.length
  }
}
