/** JSON as the text it is stored as: whether it is one value, and how much it would weigh once parsed. */
import * as limits from './limits.ts'

/** Why a text is not one JSON value of bounded depth, or undefined. */
export function jsonProblem(text: string, { deepest } = jsonShape(text)): string | undefined {
  if (deepest > limits.jsonDepthMax) return `JSON nested deeper than ${limits.jsonDepthMax}`
  try {
    JSON.parse(text)
    return undefined
  } catch {
    return 'text that is not one JSON value'
  }
}

interface JsonShape {
  readonly deepest: number
  /** At most so many are in it: those of JSON weigh as much as others once they are parsed. */
  readonly values: number
}

/** Found without parsing, so that a parser never meets more than was allowed. */
export function jsonShape(text: string): JsonShape {
  let depth = 0
  let deepest = 0
  let values = 1
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 0x5c) index++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x2c) values++
    else if (code === 0x5b || code === 0x7b) {
      values++
      deepest = Math.max(deepest, ++depth)
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return { deepest, values }
}
