/** JSON bodies of requests: strictly UTF-8, of bounded depth, and without keys that mean something to JavaScript. */
import type { z } from 'zod'

import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'

/** @throws HostError ERR_REQUEST_MALFORMED */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  const value = parse(bytes)
  checkTree(value, 1)
  return value
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw malformed('the body is not JSON in UTF-8', cause)
  }
}

/** Depth is bounded before anything else walks the value. */
function checkTree(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > limits.jsonDepthMax) throw malformed(`the body nests deeper than ${limits.jsonDepthMax}`)
  if (Object.hasOwn(value, '__proto__')) throw malformed('the body has a member __proto__')
  for (const member of Object.values(value)) checkTree(member, depth + 1)
}

/**
 * The body a route expects.
 *
 * @throws HostError ERR_REQUEST_MALFORMED with what is wrong and where.
 */
export function expectBody<T>(shape: z.ZodType<T>, body: unknown): T {
  const parsed = shape.safeParse(body)
  if (parsed.success) return parsed.data
  throw malformed(`the body is not what this takes: ${problems(parsed.error)}`)
}

/** The query string a route expects. */
export function expectQuery<T>(shape: z.ZodType<T>, query: unknown): T {
  const parsed = shape.safeParse(query)
  if (parsed.success) return parsed.data
  throw malformed(`the query string is not what this takes: ${problems(parsed.error)}`)
}

function problems(error: z.ZodError): string {
  const shown = error.issues.slice(0, 5).map((issue) => [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': '))
  return shown.join('; ').slice(0, 500)
}

export function malformed(message: string, cause?: unknown): HostError {
  return new HostError('ERR_REQUEST_MALFORMED', message, { cause })
}
